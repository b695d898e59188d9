"""Queue erasures: from the table's stream, what a deletion has left behind goes to the erasure queue."""

from typing import Any

from shared import erasure_queue
from shared.erasure_queue import Erasure
from shared.store import items, keys


def handler(event: dict[str, Any], _context: object) -> None:
    """Queue what each record of the stream calls for. A failure has the whole batch delivered again: that is harmless.

    The template's filter lets through the heads that became tombstones, and messages whose parts are no longer theirs.
    """
    erasure_queue.send([_erasure(record["dynamodb"]) for record in event["Records"]])


def _erasure(change: dict[str, Any]) -> Erasure:
    partition = change["Keys"]["threadId"]["S"]
    if change["Keys"]["messageId"]["S"] == keys.HEAD:
        return Erasure(partition)
    return Erasure(partition, items.parts_prefix(change["OldImage"]))
