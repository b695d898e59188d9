"""Pages of messages: a Query, corrected by the head of the thread, so that a reader never passes over a message.

A Query is no snapshot: of two transactions it may show the later one's message and not yet the earlier one's. A cursor
behind the later message would then lose the earlier one. So the head is read beside the Query, by a read that is
serializable: what lies above the head's last message waits for the next page, and what the head remembers as
committed and the Query did not show is fetched one by one.
"""

import time
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from shared import ids
from shared.records import Message, Page, PageRequest
from shared.store import aliases, head, items, keys, table
from shared.store.key_range import KeyRange, is_backward, key_range_of
from shared.store.messages import load_message
from shared.store.table import Item

# A Lambda response ends at 6,291,556 bytes; the rest is for its envelope and headers.
PAGE_BYTES = 6_190_000
# A commit does not hang for minutes, and a clock cannot be wrong by more than five: AWS refuses the signature then.
# A remembered message older than this is visible to every Query, unless it was deleted.
_SETTLED_MILLISECONDS = 15 * 60 * 1000
# Query and head are read side by side. A create takes 4 of the 1,000 write units that a partition has in a second, so
# no more than 12 happen in this time; after more, the Query may be older than all that the head remembers.
_TOGETHER_SECONDS = 0.05


class _Scan(NamedTuple):
    """What a Query showed, in its order: items by ULID, and whether more may follow."""

    items: dict[str, Item]
    more: bool


def list_messages(project: str, thread_id: str, asked: PageRequest, run_id: str | None) -> Page[Message]:
    """Return one page of a thread's messages, or of one run's. It is empty only when nothing follows.

    A page ends at the limit, or at what a response can carry. Raises `ThreadNotFoundError`, and `MessageNotFoundError`
    for a cursor that was made elsewhere and is not known.
    """
    partition = keys.thread_partition(project, thread_id)
    prefix = (keys.run_prefix(run_id) if run_id else "") + keys.MESSAGE_PREFIX
    key_range = key_range_of(aliases.with_ulids(partition, asked))
    while True:
        scan = _committed(partition, prefix, key_range)
        ulids = list(scan.items)[: asked.limit]
        stored = _messages(partition, ulids) if run_id else [scan.items[ulid] for ulid in ulids]
        fitting = first_fitting(stored, items.size)
        found = [message for item in fitting if (message := load_message(item, thread_id))]
        more = scan.more or len(scan.items) > asked.limit or len(fitting) < len(stored)
        if found or not more:
            return Page(found[::-1] if is_backward(asked) else found, more)
        # All of these were deleted while they were read. An empty page would end the reader's loop.
        key_range = key_range.behind(_ulid(fitting[-1]) if fitting else ulids[-1])


def first_fitting(stored: list[Item], size: Callable[[Item], int]) -> list[Item]:
    """Return the first of the items, as many as a response carries, and at least one.

    `size` is a bound of what the JSON of an item takes of a response, in bytes.
    """
    total = 0
    for count, item in enumerate(stored):
        total += size(item)
        if count and total > PAGE_BYTES:
            return stored[:count]
    return stored


def _committed(partition: str, prefix: str, key_range: KeyRange) -> _Scan:
    """Return what the span holds of the messages that the head says are committed. Raises `ThreadNotFoundError`."""
    started = time.monotonic()
    reading = table.submit(lambda: (table.get(keys.key(partition, keys.HEAD)), time.monotonic() - started))
    scan = _scan(partition, prefix, key_range)
    found, seconds = table.result(reading)
    recent = head.recent(head.require_open(found))
    last = recent[0] if recent else ""
    above = not key_range.forward and any(ulid > last for ulid in scan.items)
    if above or (seconds > _TOGETHER_SECONDS and len(recent) == head.RECENT and not _settled(recent[-1])):
        # Now that the head is known, a Query cannot be older than all that the head remembers.
        scan = _scan(partition, prefix, key_range, last)
    missed = _missed(partition, prefix, key_range, scan, recent)
    together = {ulid: item for ulid, item in scan.items.items() if ulid <= last} | missed
    ordered = dict(sorted(together.items(), reverse=not key_range.forward))
    return _Scan(ordered, more=bool(ordered) and scan.more)


def _scan(partition: str, prefix: str, key_range: KeyRange, last: str = "~") -> _Scan:
    """Query the span, up to and including the ULID `last`, until it is full or holds more than a response carries."""
    low, high = key_range.bounds(prefix)
    high = min(high, prefix + last)
    if low > high:
        return _Scan({}, more=False)
    found: dict[str, Item] = {}
    total = 0
    options = {"ScanIndexForward": key_range.forward, "Limit": key_range.size}
    for item in islice(table.query(partition, low, high, **options), key_range.size):
        found[_ulid(item)] = item
        total += items.size(item) if "size" in item else 0
        if total > PAGE_BYTES:
            return _Scan(found, more=True)
    return _Scan(found, more=len(found) == key_range.size)


def _missed(partition: str, prefix: str, key_range: KeyRange, scan: _Scan, recent: list[str]) -> dict[str, Item]:
    """Return what the head remembers as committed in the span, and the scan did not show."""
    unread = key_range.behind(next(reversed(scan.items))) if scan.more else None
    missing = [
        ulid
        for ulid in recent
        if ulid not in scan.items
        and key_range.holds(ulid)
        and not (unread and unread.holds(ulid))
        and not _settled(ulid)
    ]
    if not missing:
        return {}
    stored = table.transact_get([keys.key(partition, prefix + ulid) for ulid in missing])
    return {ulid: item for ulid, item in zip(missing, stored, strict=True) if item}


def _settled(ulid: str) -> bool:
    return ids.milliseconds(ulid) <= time.time_ns() // 1_000_000 - _SETTLED_MILLISECONDS


def _messages(partition: str, ulids: list[str]) -> list[Item]:
    """Return the messages with these ULIDs, in this order, without those that are deleted."""
    wanted = [keys.key(partition, keys.MESSAGE_PREFIX + ulid) for ulid in ulids]
    found = table.batch_get(wanted)
    missing = [key for key in wanted if (partition, key["messageId"]["S"]) not in found]
    # A batch may show a run's entry and not yet its message.
    for item in table.transact_get(missing):
        if item:
            found[partition, item["messageId"]["S"]] = item
    return [item for key in wanted if (item := found.get((partition, key["messageId"]["S"])))]


def _ulid(item: Item) -> str:
    return str(item["messageId"]["S"][-26:])
