"""Publish events: publishes changes of threads, messages and runs from the table's stream on the event bus."""

from typing import Any

from shared import clients, event_bus, events
from shared.store import table

# The init phase makes the clients, so that no event waits for them.
table.client()
clients.events()

# Below the function's time-out of 60 seconds.
_SECONDS = 40.0


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Publish the changes in these records; return the first record with an event that the bus did not take.

    The stream delivers the records from this one on again. An event may thus come twice, with the same event id.
    """
    table.set_deadline(_SECONDS)
    changes = [(record, change) for record in event["Records"] for change in events.of_record(record)]
    refused = event_bus.send([change for _, change in changes])
    if refused is None:
        return {"batchItemFailures": []}
    return {"batchItemFailures": [{"itemIdentifier": changes[refused][0]["dynamodb"]["SequenceNumber"]}]}
