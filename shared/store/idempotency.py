"""Idempotency-Keys: the marker that a create leaves in its own transaction, and what a later one learns from it."""

import time
from typing import NamedTuple

from shared.store import keys, table
from shared.store.errors import IdempotencyKeyReusedError
from shared.store.head import SCHEMA, check_schema
from shared.store.table import Item, Write


class IdempotencyKey(NamedTuple):
    """An Idempotency-Key, the hash of the body that came with it, and the seconds for which it is remembered."""

    key: str
    body_hash: str
    seconds: int = 86_400


def marker(partition: str, once: IdempotencyKey, ulid: str) -> Write:
    """Return the part of a transaction that lets it happen once, for a thread or message with this ULID.

    An expired marker is as good as none: DynamoDB removes it days late.
    """
    now = int(time.time())
    return {
        "Put": {
            "Item": {
                **keys.key(partition, keys.once(once.key)),
                "v": {"N": str(SCHEMA)},
                "ulid": {"S": ulid},
                "bodyHash": {"S": once.body_hash},
                "expires": {"N": str(now + once.seconds)},
            },
            "ConditionExpression": "attribute_not_exists(threadId) OR expires <= :now",
            "ExpressionAttributeValues": {":now": {"N": str(now)}},
        }
    }


def find(partition: str, once: IdempotencyKey) -> str | None:
    """Return the ULID of what the key made first, None if it made nothing or that is no longer remembered.

    Raises `IdempotencyKeyReusedError`.
    """
    stored = table.get(keys.key(partition, keys.once(once.key)))
    is_remembered = stored is not None and int(stored["expires"]["N"]) > int(time.time())
    return first_ulid(stored, once) if stored and is_remembered else None


def first_ulid(stored: Item, once: IdempotencyKey) -> str:
    """Return the ULID of what the key made first. Raises `IdempotencyKeyReusedError` if that had another body."""
    check_schema(stored)
    if stored["bodyHash"]["S"] != once.body_hash:
        raise IdempotencyKeyReusedError
    return str(stored["ulid"]["S"])
