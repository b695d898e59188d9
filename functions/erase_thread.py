"""Erase thread: from the erasure queue, what is left of a deleted thread or message, a chunk at a time."""

import time
from typing import Any

from shared import clients, erasure_queue
from shared.store import erasure, table

# Made in the init phase, which no event waits for.
table.client()
clients.sqs()

# What is left of the function's time for the last call and for queueing the rest.
_RESERVE_SECONDS = 30


def handler(event: dict[str, Any], context: Any) -> None:
    """Erase for most of the function's time; queue the rest. A failure has the queue deliver the message again."""
    seconds = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    until = time.monotonic() + seconds
    for record in event["Records"]:
        table.set_deadline(seconds + _RESERVE_SECONDS / 2)
        asked = erasure_queue.received(record["body"])
        if asked.prefix:
            done = erasure.erase_prefix(asked.partition, asked.prefix, until)
        else:
            done = erasure.erase_thread(asked.partition, until)
        if not done:
            erasure_queue.send([asked], delayed=False)
