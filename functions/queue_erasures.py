"""Queue erasures: from the table's stream, what a deletion has left behind goes to the erasure queue."""

from typing import Any

from shared import clients, erasure_queue
from shared.erasure_queue import Erasure
from shared.store import items, keys

# Made in the init phase, which no event waits for.
clients.sqs()


def handler(event: dict[str, Any], _context: object) -> None:
    """Queue what each record of the stream calls for. A failure has the whole batch delivered again: that is harmless.

    The template's filter lets through the heads that became tombstones, and changes of messages that had parts.
    """
    erasures = (_erasure(record["dynamodb"]) for record in event["Records"])
    erasure_queue.send([erasure for erasure in erasures if erasure])


def _erasure(change: dict[str, Any]) -> Erasure | None:
    """Return what a change has left behind, or None for a message that still has its parts."""
    partition = change["Keys"]["threadId"]["S"]
    if change["Keys"]["messageId"]["S"] == keys.HEAD:
        return Erasure(partition)
    left = items.chunk_prefix(change["OldImage"])
    now = change.get("NewImage", {})
    return None if "parts" in now and items.chunk_prefix(now) == left else Erasure(partition, left)
