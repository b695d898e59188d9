"""Writes the assistants of an import."""

from functools import partial

from shared.runs.store import assistants
from shared.store import keys, table
from shared.store.table import CancelledError
from tools.transfer import positions
from tools.transfer.spool import Spool
from tools.transfer.staging import patiently


def write(spool: Spool, project: str, *, dry_run: bool = False) -> tuple[int, int]:
    """Write the assistants of a spool. With `dry_run`, only count them. Raises `BusyError`.

    Return the number of imported assistants, and the number of assistants that existed before and were not changed.
    """
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
    return total - exist, exist
