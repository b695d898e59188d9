"""Publish events: from the table's stream, every change of a thread or message goes to the event bus."""

from typing import Any

from shared import clients, event_bus, events
from shared.store import table

# Made in the init phase, which no event waits for.
table.client()
clients.events()

# Below the function's time-out of 60 seconds.
_SECONDS = 40.0


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Publish the changes in these records; name the first record of which something was not taken.

    The stream delivers from that one again, so an event may come twice, with the same event id.
    """
    table.set_deadline(_SECONDS)
    told = [(record, change) for record in event["Records"] for change in events.of_record(record)]
    refused = event_bus.send([change for _, change in told])
    if refused is None:
        return {"batchItemFailures": []}
    return {"batchItemFailures": [{"itemIdentifier": told[refused][0]["dynamodb"]["SequenceNumber"]}]}
