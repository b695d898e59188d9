"""The head of a thread: whether the thread is open, its last message, the 16 messages before, and its active run.

Every create of a message updates the head in its own transaction. The head thus gives the messages one order. It is
not in the item of the thread's metadata, because each create is billed for the whole item. The head stays under 1 KB.
"""

import time
from collections.abc import Sequence
from typing import Any

from shared.settings import settings
from shared.store import keys
from shared.store.errors import NewerItemError, ThreadNotFoundError
from shared.store.table import Item, Write

SCHEMA = 1
OPEN = "open"
PENDING = "pending"
ERASING = "erasing"

# The ULIDs of the last message and of the 16 messages before it, for readers to whom a commit is only half visible.
_LAST = ["lastUlid", *(f"r{number}" for number in range(1, 17))]
RECENT = len(_LAST)
_NOTHING: Item = {}

IS_NEW = "attribute_not_exists(threadId)"
# No run of the thread is active. `lastRun` is the ULID of the newest run. `runUntil` is the second at which this run
# expires, or 0 when it has ended. Before the first run, the head has neither attribute.
IS_IDLE = "(attribute_not_exists(runUntil) OR runUntil <= :now)"
_IS_OPEN = "#state = :open AND activeAt > :oldest AND v <= :schema"
_NAMES = {"#state": "state"}


# For the put that makes a thread visible which was written in more than one transaction.
IF_PENDING = {
    "ConditionExpression": "#state = :pending",
    "ExpressionAttributeNames": _NAMES,
    "ExpressionAttributeValues": {":pending": {"S": PENDING}},
}


def item(partition: str, state: str, ulids: list[str]) -> Item:
    """Return a new head; `ulids` are the ULIDs of the thread's messages, oldest first."""
    newest_first = [*reversed(ulids[-RECENT:])]
    newest_first += [""] * (RECENT - len(newest_first))
    return {
        **keys.key(partition, keys.HEAD),
        "v": {"N": str(SCHEMA)},
        "state": {"S": state},
        "activeAt": {"N": str(int(time.time()))},
        **{name: {"S": ulid} for name, ulid in zip(_LAST, newest_first, strict=True)},
    }


def advance(partition: str, ulids: list[str], *, during_run: bool) -> Write:
    """Return the part of a transaction that makes these the last messages of an open thread, oldest first.

    Its condition is that they are above the thread's last message and, unless `during_run`, that no run is active.
    """
    return change(partition, ulids, when="" if during_run else IS_IDLE)


def change(
    partition: str, ulids: Sequence[str] = (), *, when: str = "", sets: Item = _NOTHING, values: Item = _NOTHING
) -> Write:
    """Return the part of a transaction that changes the head of an open thread, and its time of last activity.

    `ulids` are the ULIDs of messages that become the last ones, oldest first, 17 at most. `sets` are attributes to set.
    `when` is a further condition; it may use `:now`, the current second, and the names in `values`.
    """
    conditions = [_IS_OPEN, *filter(None, [when])]
    attributes = {"activeAt": ":now"} | {name: f":{name}" for name in sets}
    names = {f":{name}": value for name, value in sets.items()}
    if ulids:
        conditions.append("lastUlid < :first")
        newest_first = {f":u{number}": {"S": ulid} for number, ulid in enumerate(reversed(ulids))}
        names |= newest_first | {":first": {"S": ulids[0]}}
        attributes |= dict(zip(_LAST, [*newest_first, *_LAST], strict=False))
    return {
        "Update": {
            "Key": keys.key(partition, keys.HEAD),
            "ConditionExpression": " AND ".join(conditions),
            "UpdateExpression": "SET " + ", ".join(f"{name} = {value}" for name, value in attributes.items()),
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": {**_open_values(), **values, **names, ":now": {"N": str(int(time.time()))}},
        }
    }


def mark_deleted(partition: str, erasure: str) -> dict[str, Any]:
    """Return the update that makes an open head a tombstone; `erasure` identifies the call that does it."""
    return {
        "key": keys.key(partition, keys.HEAD),
        "ConditionExpression": _IS_OPEN,
        "UpdateExpression": "SET #state = :erasing, erasure = :erasure, activeAt = :now",
        "ExpressionAttributeNames": _NAMES,
        "ExpressionAttributeValues": {
            **_open_values(),
            ":erasing": {"S": ERASING},
            ":erasure": {"S": erasure},
            ":now": {"N": str(int(time.time()))},
        },
    }


def mark_expired(partition: str, seen: Item) -> dict[str, Any]:
    """Return the update that makes a head in any state a tombstone, if it has not changed since it was read."""
    return {
        "key": keys.key(partition, keys.HEAD),
        "ConditionExpression": "#state = :state AND activeAt = :active",
        "UpdateExpression": "SET #state = :erasing, activeAt = :now",
        "ExpressionAttributeNames": _NAMES,
        "ExpressionAttributeValues": {
            ":state": seen["state"],
            ":active": seen["activeAt"],
            ":erasing": {"S": ERASING},
            ":now": {"N": str(int(time.time()))},
        },
    }


def idle_seconds(head: Item) -> int:
    """Return the seconds since a thread's last create, or since its head became a tombstone."""
    return int(time.time()) - int(head["activeAt"]["N"])


def is_open(head: Item | None) -> bool:
    """Return whether a thread with this head exists for its users. Raises `NewerItemError`."""
    if head is None:
        return False
    check_schema(head)
    return head["state"]["S"] == OPEN and int(head["activeAt"]["N"]) > _oldest_active()


def require_open(head: Item | None) -> Item:
    """Return the head. Raises `ThreadNotFoundError` unless the thread exists for its users."""
    if head is None or not is_open(head):
        raise ThreadNotFoundError
    return head


def recent(head: Item) -> list[str]:
    """Return the ULIDs of the last committed messages, 17 at most, newest first. Some of them may be deleted."""
    return [ulid for name in _LAST if (ulid := head[name]["S"])]


def last_ulid(head: Item) -> str:
    """Return the ULID of the last committed message, or an empty text if the thread never had a message."""
    return str(head["lastUlid"]["S"])


def last_run(head: Item) -> str:
    """Return the ULID of the thread's newest run, or an empty text if the thread never had a run."""
    return str(head["lastRun"]["S"]) if "lastRun" in head else ""


def has_active_run(head: Item) -> bool:
    """Return whether the thread's newest run is active: not ended, and not expired."""
    return "runUntil" in head and int(head["runUntil"]["N"]) > int(time.time())


def check_schema(stored: Item) -> None:
    """Raise `NewerItemError` for an item of a schema that this version does not know."""
    if int(stored["v"]["N"]) > SCHEMA:
        raise NewerItemError(stored["v"]["N"])


def _open_values() -> dict[str, dict[str, str]]:
    return {
        ":open": {"S": OPEN},
        ":oldest": {"N": str(_oldest_active())},
        ":schema": {"N": str(SCHEMA)},
    }


def _oldest_active() -> int:
    """Return a second: a thread whose last activity was in this second or earlier is expired."""
    retention = settings().retention_seconds
    return int(time.time()) - retention if retention else 0
