"""Ingest message: from the inbound queues, commands become messages by the same rules as create message."""

from typing import Any

from shared import clients, inbound
from shared.store import table

# Made in the init phase, which no event waits for.
table.client()
clients.sqs()

# In which a command may call the table; ten such, with the last calls of each, end before the time-out of 180 seconds.
_SECONDS = 8.0


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Create a message for each command; name those that the queue is to deliver again."""
    again = inbound.ingest(event["Records"], _SECONDS)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}
