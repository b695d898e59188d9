"""Idempotency-Keys: each create writes a marker in its own transaction. A later create with the same key reads it."""

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
    """Return the part of a transaction that lets the transaction happen only once.

    The transaction creates a thread, message or run with this ULID. An expired marker counts as absent, because
    DynamoDB may remove it days late.
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
    """Return the ULID of the object that the first create with the key made. Return None if no marker is valid.

    Raises `IdempotencyKeyReusedError`.
    """
    stored = table.get(keys.key(partition, keys.once(once.key)))
    is_remembered = stored is not None and int(stored["expires"]["N"]) > int(time.time())
    return first_ulid(stored, once) if stored and is_remembered else None


def first_ulid(stored: Item, once: IdempotencyKey) -> str:
    """Return the ULID of the object that the first create with the key made.

    Raises `IdempotencyKeyReusedError` if the first create had another body.
    """
    check_schema(stored)
    if stored["bodyHash"]["S"] != once.body_hash:
        raise IdempotencyKeyReusedError
    return str(stored["ulid"]["S"])
