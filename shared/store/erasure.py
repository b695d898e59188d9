"""Erasing: what is left of a deleted thread, found and removed in steps that may each be the last of a process."""

import time
from itertools import islice

from shared.store import head, keys, table
from shared.store.table import CancelledError

# Sort keys are ASCII from `alias#` to `thread`; these are below and above all of them.
_LOWEST, _HIGHEST = "!", "~"
# A bounded page, because a whole one of a long thread would take all the reads that a partition has in a second.
_KEYS_ONLY = {"ProjectionExpression": "threadId, messageId", "Limit": 1_000}


def erase_thread(partition: str, until: float) -> bool:
    """Erase a thread whose head is a tombstone; return whether it is done by `until` (as `time.monotonic()`).

    The tombstone goes last, in one transaction with the thread's item and its entries in the lists, so that whatever
    fails before leaves something that the sweep finds. A thread that is open, or gone, is left as it is. Raises
    `NewerItemError` for one that a later version has written: that may have put things elsewhere, too.
    """
    tombstone = table.get(keys.key(partition, keys.HEAD))
    if tombstone is None:
        return True
    head.check_schema(tombstone)
    if tombstone["state"]["S"] != head.ERASING:
        return True
    if not _erase_all_but(partition, _LOWEST, _HIGHEST, (keys.HEAD, keys.THREAD), until):
        return False
    thread = table.get(keys.key(partition, keys.THREAD))
    if thread:
        head.check_schema(thread)
    ulid = keys.ulid_of(keys.thread_id(partition), tombstone)
    entries = [entry["S"] for entry in (thread or tombstone)["entries"]["L"]]
    writes: list[table.Write] = [
        {"Delete": {"Key": keys.key(partition, keys.HEAD)}},
        *({"Delete": {"Key": keys.key(entry, ulid)}} for entry in entries),
    ]
    if thread:
        # A modification of the thread may have moved its entry meanwhile.
        unchanged = {
            "Key": keys.key(partition, keys.THREAD),
            "ConditionExpression": "#version = :seen",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":seen": thread["version"]},
        }
        writes.append({"Delete": unchanged})
    try:
        table.transact(writes)
    except CancelledError:
        return False
    return True


def erase_prefix(partition: str, prefix: str, until: float) -> bool:
    """Erase the items of a partition whose sort keys begin with a prefix.

    Return whether all are erased by `until` (as `time.monotonic()`).
    """
    return _erase_all_but(partition, prefix, f"{prefix}{_HIGHEST}", (), until)


def _erase_all_but(partition: str, low: str, high: str, kept: tuple[str, ...], until: float) -> bool:
    found = table.query(partition, low, high, **_KEYS_ONLY)
    doomed = (item for item in found if item["messageId"]["S"] not in kept)
    while batch := list(islice(doomed, 25)):
        if time.monotonic() > until:
            return False
        table.batch_delete(batch)
    return True
