"""Ingest message: creates a message for each command in the inbound queues, by the rules of create message."""

from typing import Any

from shared import inbound
from shared.store import table

# The init phase makes this client, so that no event waits for it. The first command that is not done makes that of SQS.
table.client()

# The time in which a command may call the table. Ten commands end before the time-out of 180 seconds.
_SECONDS = 8.0


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Create a message for each command; return those that the queue must deliver again."""
    again = inbound.ingest(event["Records"], _SECONDS)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}
