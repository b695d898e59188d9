"""Pages of messages: a Query, corrected by the head of the thread, so that a reader never skips a message.

A Query is no snapshot: of two transactions it may show the message of the later one, but not yet that of the earlier
one. A cursor behind the later message would then skip the earlier message. The head is therefore read at the same time,
with a serializable read. Messages above the head's last message wait for the next page. Messages that the head names
as committed, but the Query did not show, are read one by one.
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

# Lambda's limit for a response is 6,291,556 bytes; the rest is for the envelope and the headers.
PAGE_BYTES = 6_190_000
# A commit does not take minutes. A clock cannot be wrong by more than five minutes, because AWS then refuses the
# signature. A message in the head that is older than this is visible to every Query, unless it was deleted.
_SETTLED_MILLISECONDS = 15 * 60 * 1000
# Query and head are read at the same time. A create takes 4 of the 1,000 write units that a partition has in a second,
# so this time allows 12 creates at most. In a longer time, more than 16 creates may replace all ids that the head had
# when the Query began.
_TOGETHER_SECONDS = 0.05


class _Scan(NamedTuple):
    """The result of a Query: items by ULID, in the Query's order, and whether more may follow."""

    items: dict[str, Item]
    more: bool


def list_messages(project: str, thread_id: str, asked: PageRequest, run_id: str | None) -> Page[Message]:
    """Return one page of the messages of a thread or of one run. It is empty only if no messages follow.

    A page ends at the limit, or at the largest size of a response. Raises `ThreadNotFoundError`, and
    `MessageNotFoundError` for an unknown cursor that was made elsewhere.
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
    """Return the first items: as many as a response can hold, but at least one.

    `size` returns an upper bound of the bytes that an item's JSON takes in a response.
    """
    total = 0
    for count, item in enumerate(stored):
        total += size(item)
        if count and total > PAGE_BYTES:
            return stored[:count]
    return stored


def _committed(partition: str, prefix: str, key_range: KeyRange) -> _Scan:
    """Return the items of the range whose messages the head shows as committed. Raises `ThreadNotFoundError`."""
    started = time.monotonic()
    reading = table.submit(lambda: (table.get(keys.key(partition, keys.HEAD)), time.monotonic() - started))
    scan = _scan(partition, prefix, key_range)
    found, seconds = table.result(reading)
    recent = head.recent(head.require_open(found))
    last = recent[0] if recent else ""
    above = not key_range.forward and any(ulid > last for ulid in scan.items)
    if above or (seconds > _TOGETHER_SECONDS and len(recent) == head.RECENT and not _settled(recent[-1])):
        # A Query that begins after the read of the head cannot be older than all ids in the head.
        scan = _scan(partition, prefix, key_range, last)
    missed = _missed(partition, prefix, key_range, scan, recent)
    together = {ulid: item for ulid, item in scan.items.items() if ulid <= last} | missed
    ordered = dict(sorted(together.items(), reverse=not key_range.forward))
    return _Scan(ordered, more=bool(ordered) and scan.more)


def _scan(partition: str, prefix: str, key_range: KeyRange, last: str = "~") -> _Scan:
    """Query the range, up to and including the ULID `last`, until the result is full or too large for a response."""
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
    """Return the items of the range that the head names as committed, but the scan did not show."""
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
    # The Query may show the entry of a run's message before the batch shows the message.
    for item in table.transact_get(missing):
        if item:
            found[partition, item["messageId"]["S"]] = item
    return [item for key in wanted if (item := found.get((partition, key["messageId"]["S"])))]


def _ulid(item: Item) -> str:
    return str(item["messageId"]["S"][-26:])
