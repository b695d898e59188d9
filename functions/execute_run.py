"""Execute run: from the queue of runs, one run is claimed, the model called, and what came of it stored."""

from typing import Any

from shared.runs import worker
from shared.store import table

# In the init phase, which no run waits for. The client of SQS is made for the first run that cannot be claimed.
table.client()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Execute the run that each record names; name the records whose run could not be claimed for a fault."""
    unclaimed = worker.work(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unclaimed]}
