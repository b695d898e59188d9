"""Erase thread: takes erasures from the queue and deletes the items of deleted threads and messages."""

import time
from typing import Any

from shared import clients, erasure_queue
from shared.store import erasure, table

# The init phase makes the clients, so that no event waits for them.
table.client()
clients.sqs()

# The part of the function's time that is reserved for the last call and for queueing the rest.
_RESERVE_SECONDS = 30


def handler(event: dict[str, Any], context: Any) -> None:
    """Erase for most of the function's time; queue the rest. After a failure the queue delivers the message again."""
    seconds = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    until = time.monotonic() + seconds
    for record in event["Records"]:
        table.set_deadline(seconds + _RESERVE_SECONDS / 2)
        requested = erasure_queue.received(record["body"])
        if requested.prefix:
            done = erasure.erase_prefix(requested.partition, requested.prefix, until)
        else:
            done = erasure.erase_thread(requested.partition, until)
        if not done:
            erasure_queue.send([requested], delayed=False)
