"""The head of a thread: whether it is open, which message is its last, and which came just before.

Every create moves the head in its own transaction, so the head is what gives messages one order. It is an item apart
from the thread's metadata, because each create is billed for the whole item: this one stays under 1 KB.
"""

import time
from typing import Any

from shared.settings import settings
from shared.store import keys
from shared.store.errors import NewerItemError, ThreadNotFoundError
from shared.store.table import Item, Write

SCHEMA = 1
OPEN = "open"
PENDING = "pending"
ERASING = "erasing"

# How many ids before the last one a head remembers, for a reader that meets a commit half visible.
_REMEMBERED = [f"r{number}" for number in range(1, 17)]
RECENT = 1 + len(_REMEMBERED)
_SHIFT = ", ".join(f"{to} = {source}" for to, source in zip(_REMEMBERED, ["lastUlid", *_REMEMBERED], strict=False))

IS_NEW = "attribute_not_exists(threadId)"
_IS_OPEN = "#state = :open AND activeAt > :oldest AND v <= :schema"
_NAMES = {"#state": "state"}


# For the put that shows a thread which was written in more than one transaction.
IF_PENDING = {
    "ConditionExpression": "#state = :pending",
    "ExpressionAttributeNames": _NAMES,
    "ExpressionAttributeValues": {":pending": {"S": PENDING}},
}


def item(partition: str, state: str, ulids: list[str]) -> Item:
    """Return a new head; `ulids` are those of its messages, oldest first."""
    newest_first = [*reversed(ulids[-RECENT:])]
    newest_first += [""] * (RECENT - len(newest_first))
    return {
        **keys.key(partition, keys.HEAD),
        "v": {"N": str(SCHEMA)},
        "state": {"S": state},
        "activeAt": {"N": str(int(time.time()))},
        "lastUlid": {"S": newest_first[0]},
        **{name: {"S": ulid} for name, ulid in zip(_REMEMBERED, newest_first[1:], strict=True)},
    }


def advance(partition: str, ulid: str) -> Write:
    """Return the part of a transaction that makes `ulid` the last message of an open thread, if it is the highest."""
    return {
        "Update": {
            "Key": keys.key(partition, keys.HEAD),
            "ConditionExpression": f"{_IS_OPEN} AND lastUlid < :ulid",
            "UpdateExpression": f"SET lastUlid = :ulid, activeAt = :now, {_SHIFT}",
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": {
                **_open_values(),
                ":ulid": {"S": ulid},
                ":now": {"N": str(int(time.time()))},
            },
        }
    }


def mark_deleted(partition: str, erasure: str) -> dict[str, Any]:
    """Return the update that makes an open head a tombstone; `erasure` names the call that did it."""
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
    """Return the update that makes a head a tombstone if it is still as it was seen, whatever its state."""
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
    """Tell whether a thread with this head exists for its users. Raises `NewerItemError`."""
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
    """Return the ULIDs of the last messages that were committed, 17 at most, newest first; some may be deleted."""
    return [ulid for name in ("lastUlid", *_REMEMBERED) if (ulid := head[name]["S"])]


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
    """Return the second at or before which the last activity of a thread makes it expired."""
    retention = settings().retention_seconds
    return int(time.time()) - retention if retention else 0
