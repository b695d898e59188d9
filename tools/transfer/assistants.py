"""Assistants of a project: written by the import, read by the export."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from shared import ids
from shared.records import PageRequest
from shared.runs.records import Assistant
from shared.runs.store import assistants
from shared.store import keys, table
from shared.store.table import CancelledError
from tools.transfer import positions
from tools.transfer.spool import Spool
from tools.transfer.staging import patiently

_AT_ONCE = 100


class Counts(NamedTuple):
    """What an import did. `existing` are the assistants that existed before and were not changed."""

    imported: int = 0
    existing: int = 0


def write(spool: Spool, project: str, *, dry_run: bool = False) -> Counts:
    """Write the assistants of a spool, or only count what would be written. Raises `BusyError`."""
    exist = 0
    total = 0
    for number, assistant in spool.assistants():
        total += 1
        if dry_run:
            key = keys.key(keys.assistants_partition(project), assistant.id)
            exist += patiently(partial(table.get, key)) is not None
            continue
        ulid = positions.in_list(project, assistant, number)
        try:
            patiently(partial(table.transact, assistants.new_assistant(project, assistant, ulid)))
        except CancelledError:
            exist += 1
    return Counts(total - exist, exist)


def read(project: str) -> Iterator[Assistant]:
    """Yield the assistants of a project, oldest first. Raises `BusyError`."""
    after, more = "", True
    while more:
        request = PageRequest(_AT_ONCE, ascending=True, after=after, before="")
        page = patiently(partial(assistants.list_assistants, project, request))
        yield from page.records
        more = page.has_more
        if more:
            last = page.records[-1].id
            ulid = last.removeprefix(keys.ASSISTANT_PREFIX)
            after = ulid if ids.is_ulid(ulid) else last
