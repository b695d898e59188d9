"""The sweep: a walk over all threads that finds threads to be erased for which no erasure is running."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from shared.settings import settings
from shared.store import head, keys, table
from shared.store.table import ConditionFailedError, Item

# A staged create takes seconds. A thread that is still pending after an hour was abandoned. If a tombstone still exists
# after an hour, a record of the stream or a message of the queue was lost.
_OVERDUE_SECONDS = 3_600
_AT_ONCE = 100
_LOWEST, _HIGHEST = "!", "~"
_POSITION = keys.key("sweep", "position")


class Position(NamedTuple):
    """The position of a walk: a list of threads, and the ULID of the last entry that was checked."""

    partition: str = ""
    ulid: str = ""


def overdue_partitions(until: float, *, begin: bool) -> Iterator[str]:
    """Yield the partitions of tombstones that are to be queued again, until `until` (as `time.monotonic()`).

    During the walk, expired and abandoned threads become tombstones, which the table's stream brings to the queue. If a
    walk has no time left, the next call continues it. With `begin=False`, only continue; do not start a new walk.
    """
    start = _position()
    if not (begin or start.partition):
        return
    for project in _projects():
        for partition in sorted(keys.threads_partitions(project, settings().list_shards)):
            if partition < start.partition:
                continue
            low = f"{start.ulid}0" if partition == start.partition else "0"
            entries = table.query(partition, low, _HIGHEST, Limit=_AT_ONCE)
            while batch := list(islice(entries, _AT_ONCE)):
                yield from _overdue([keys.thread_partition(project, entry["thread"]["S"]) for entry in batch])
                if time.monotonic() > until:
                    _remember(Position(partition, batch[-1]["messageId"]["S"]))
                    return
    _remember(Position())


def _overdue(partitions: list[str]) -> Iterator[str]:
    heads = table.batch_get([keys.key(partition, keys.HEAD) for partition in partitions])
    for (partition, _), found in heads.items():
        if int(found["v"]["N"]) > head.SCHEMA:
            continue  # a later version wrote this head, and its own sweep will check it
        state, overdue = found["state"]["S"], head.idle_seconds(found) > _OVERDUE_SECONDS
        if state == head.ERASING and overdue:
            yield partition
        elif (state == head.PENDING and overdue) or (state == head.OPEN and not head.is_open(found)):
            _mark_expired(partition, found)


def _mark_expired(partition: str, seen: Item) -> None:
    try:
        table.update(**head.mark_expired(partition, seen))
    except ConditionFailedError:
        return  # the thread was opened, used or deleted after the read


def _projects() -> list[str]:
    """Return all projects that ever had a key, in the order of the names of their lists."""
    entries = table.query(keys.API_KEYS, _LOWEST, _HIGHEST)
    return sorted({entry["messageId"]["S"].partition("#")[0] for entry in entries}, key=lambda name: f"{name}#")


def _position() -> Position:
    item = table.get(_POSITION)
    return Position(item["list"]["S"], item["ulid"]["S"]) if item else Position()


def _remember(position: Position) -> None:
    place = {"list": {"S": position.partition}, "ulid": {"S": position.ulid}}
    table.put({**_POSITION, "v": {"N": str(head.SCHEMA)}, **place})
