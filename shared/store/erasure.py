"""Erasing: finds and removes the items of deleted threads. If a process ends after any step, a later one continues."""

import time
from itertools import islice

from shared.store import head, keys, table
from shared.store.table import CancelledError

# Sort keys are ASCII, from `alias#` to `thread`. These two values are below and above all of them.
_LOWEST, _HIGHEST = "!", "~"
# The page is limited: a full page of a long thread would take all the reads that a partition allows in a second.
_KEYS_ONLY = {"ProjectionExpression": "threadId, messageId", "Limit": 1_000}


def erase_thread(partition: str, until: float) -> bool:
    """Erase a thread whose head is a tombstone; return whether it is done by `until` (as `time.monotonic()`).

    One last transaction deletes the tombstone, the thread's item and its entries in the lists. If an earlier step
    fails, the sweep therefore still finds the thread. A thread that is open or already erased is not changed. Raises
    `NewerItemError` for a thread of a later version, which may have stored items in other places too.
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
        # A modification of the thread may have moved its entry since the read.
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
