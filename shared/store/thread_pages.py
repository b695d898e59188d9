"""Pages of threads: all threads of a project, or the threads with one value of the indexed metadata key."""

import heapq
from collections.abc import Iterator
from itertools import islice

from shared import ids
from shared.records import Page, PageRequest, Thread
from shared.settings import settings
from shared.store import head, items, keys, table
from shared.store.errors import ThreadNotFoundError
from shared.store.key_range import KeyRange, is_backward, key_range_of
from shared.store.pages import PAGE_BYTES
from shared.store.table import Item

# Deleted and expired threads keep their entries until they are erased. A list reads further entries in steps of 100. A
# page that has a thread to show ends after 1,000 entries, so that the response is not late.
_PASSED_AT_ONCE = 100
_PASSED_AT_MOST = 1_000


def list_threads(project: str, asked: PageRequest, indexed_value: str | None) -> Page[Thread]:
    """Return one page of a project's threads, or only of the threads with this value of the indexed metadata key.

    An entry only names its thread. The data of a thread, and whether it still exists, are read from the thread itself.
    A page ends at the limit, at the largest size of a response, or after 1,000 entries. It is empty only if no threads
    follow. Raises `ThreadNotFoundError` for an unknown cursor that was made elsewhere.
    """
    if indexed_value is None:
        partitions = keys.threads_partitions(project, settings().list_shards)
    else:
        partitions = [keys.indexed_partition(project, settings().indexed_key, indexed_value)]
    key_range = key_range_of(
        asked._replace(after=_ulid(project, asked.after), before=_ulid(project, asked.before)),
    )
    found: list[Thread] = []
    total = looked_at = 0
    more = True
    while more and not (found and looked_at >= _PASSED_AT_MOST):
        entries = list(islice(_entries(partitions, key_range), key_range.size))
        looked_at += len(entries)
        for thread_id, item in _open(project, entries):
            total += items.thread_size(item)
            if len(found) == asked.limit or total > PAGE_BYTES:
                return Page(found[::-1] if is_backward(asked) else found, has_more=True)
            found.append(items.thread(item, thread_id))
        more = len(entries) == key_range.size
        if more:
            key_range = key_range.behind(entries[-1]["messageId"]["S"])._replace(
                size=max(key_range.size, _PASSED_AT_ONCE)
            )
    return Page(found[::-1] if is_backward(asked) else found, has_more=more)


def _ulid(project: str, cursor: str) -> str:
    """Return the ULID under which lists hold the thread of a cursor. A deleted thread has it until it is erased."""
    if not cursor or ids.is_ulid(cursor):
        return cursor
    heads = table.batch_get([keys.key(keys.thread_partition(project, cursor), keys.HEAD)])
    for found in heads.values():
        if found["state"]["S"] != head.PENDING:
            return keys.ulid_of(cursor, found)
    raise ThreadNotFoundError(cursor)


def _entries(partitions: list[str], key_range: KeyRange) -> Iterator[Item]:
    """Yield the entries of all partitions in one order, that of the range."""
    low, high = key_range.bounds("")
    if low > high:
        return iter(())
    options = {"ScanIndexForward": key_range.forward, "Limit": key_range.size}
    lists = [table.query(partition, low, high, **options) for partition in partitions]
    return heapq.merge(*lists, key=lambda entry: str(entry["messageId"]["S"]), reverse=not key_range.forward)


def _open(project: str, entries: list[Item]) -> list[tuple[str, Item]]:
    """Return the id and the item of each open thread, in the order of the entries."""
    threads = {entry["thread"]["S"]: keys.thread_partition(project, entry["thread"]["S"]) for entry in entries}
    wanted = [keys.key(partition, sort) for partition in threads.values() for sort in (keys.HEAD, keys.THREAD)]
    found = table.batch_get(wanted)
    return [
        (thread_id, item)
        for thread_id, partition in threads.items()
        if head.is_open(found.get((partition, keys.HEAD))) and (item := found.get((partition, keys.THREAD)))
    ]
