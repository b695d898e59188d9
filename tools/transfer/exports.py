"""The export: writes a project's assistants as lines, then its threads, oldest first, each followed by its messages."""

import heapq
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TypeVar

from shared import ids
from shared.records import Message, Page, PageRequest, Thread
from shared.runs.records import Assistant
from shared.runs.store import assistants
from shared.runs.wire import assistant_json
from shared.settings import settings
from shared.store import head, items, keys, pages, table, threads
from shared.store.errors import ThreadNotFoundError
from shared.store.table import Item
from shared.wire import message_json, thread_json
from tools.transfer.parts import PartFile
from tools.transfer.staging import patiently

_AT_ONCE = 100
_LOWEST, _HIGHEST = "0", "~"

Advance = Callable[[int, int], None]
Listed = TypeVar("Listed", Assistant, Message)


def export(project: str, thread_id: str | None, into: PartFile, advance: Advance) -> int:
    """Write a project's assistants and threads, or one thread. An earlier export continues at the file's last thread.

    Return the number of assistants. `advance` gets the numbers of threads and messages. A thread that is deleted
    during the export is omitted. Raises `ThreadNotFoundError` if `thread_id` does not exist, `BusyError`, `OSError`.
    """
    first = _start(project, into)
    count_assistants = 0
    if thread_id is None and into.is_empty():
        for assistant in _assistants(project):
            into.add(assistant_json(assistant))
            count_assistants += 1
    for thread in _threads(project, first) if thread_id is None else [_thread(project, thread_id)]:
        into.mark()
        into.add(thread_json(thread))
        count = 0
        try:
            for message in _messages(project, thread.id):
                into.add(message_json(message))
                count += 1
        except ThreadNotFoundError:
            into.drop()
        else:
            advance(1, count)
    return count_assistants


def rehearse(project: str, thread_id: str | None, advance: Advance) -> int:
    """Count the threads and messages that `export` would write; return the number of assistants."""
    for thread in _threads(project, _LOWEST) if thread_id is None else [_thread(project, thread_id)]:
        with suppress(ThreadNotFoundError):
            advance(1, sum(1 for _ in _messages(project, thread.id)))
    return 0 if thread_id else sum(1 for _ in _assistants(project))


def _thread(project: str, thread_id: str) -> Thread:
    try:
        return patiently(partial(threads.retrieve, project, thread_id))
    except ThreadNotFoundError:
        raise ThreadNotFoundError(thread_id) from None


def _messages(project: str, thread_id: str) -> Iterator[Message]:
    """Yield the messages of a thread, oldest first. Raises `ThreadNotFoundError`, `BusyError`."""
    return _listed(lambda request: pages.list_messages(project, thread_id, request, None))


def _assistants(project: str) -> Iterator[Assistant]:
    return _listed(partial(assistants.list_assistants, project))


def _listed(list_page: Callable[[PageRequest], Page[Listed]]) -> Iterator[Listed]:
    """Yield the records of all pages of a list, oldest first."""
    after, more = "", True
    while more:
        page = patiently(partial(list_page, PageRequest(_AT_ONCE, ascending=True, after=after, before="")))
        yield from page.records
        more = page.has_more
        if more:
            last = page.records[-1].id
            ulid = last.partition("_")[2]
            after = ulid if ids.is_ulid(ulid) else last


def _start(project: str, into: PartFile) -> str:
    """Return the ULID under which lists hold the file's last thread, or the lowest ULID to start again."""
    last = into.last_thread()
    if last:
        head_item = patiently(partial(table.get, keys.key(keys.thread_partition(project, last), keys.HEAD)))
        ulid = keys.ulid_of(last, head_item or {})
        if ids.is_ulid(ulid):
            return ulid
        into.restart()  # the last thread was imported and then erased, so its position is lost
    return _LOWEST


def _threads(project: str, first: str) -> Iterator[Thread]:
    """Yield the visible threads of a project, oldest first, from this ULID on."""
    entries = heapq.merge(
        *(_entries(partition, first) for partition in keys.threads_partitions(project, settings().list_shards)),
        key=lambda entry: str(entry["messageId"]["S"]),
    )
    while batch := list(islice(entries, _AT_ONCE)):
        partitions = [keys.thread_partition(project, entry["thread"]["S"]) for entry in batch]
        wanted = [keys.key(partition, sort) for partition in partitions for sort in (keys.HEAD, keys.THREAD)]
        stored = patiently(partial(table.batch_get, wanted))
        for partition in partitions:
            item = stored.get((partition, keys.THREAD))
            if item and head.is_open(stored.get((partition, keys.HEAD))):
                yield items.thread(item, keys.thread_id(partition))


def _entries(partition: str, first: str) -> Iterator[Item]:
    def query() -> list[Item]:
        return [*islice(table.query(partition, first, _HIGHEST, Limit=_AT_ONCE), _AT_ONCE)]

    while batch := patiently(query):
        yield from batch
        first = f"{batch[-1]['messageId']['S']}0"  # directly above the last entry
