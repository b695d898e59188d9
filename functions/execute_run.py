"""Execute run: takes a run from the queue, claims it, calls the model and stores the result."""

from typing import Any

from shared.runs import worker
from shared.store import table

# The init phase makes this client, so that no run waits for it. The first run that cannot be claimed makes that of SQS.
table.client()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Execute the run that each record names. Return the ids of the records whose run a fault kept from its claim."""
    unclaimed = worker.work(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unclaimed]}
