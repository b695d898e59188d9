"""Sweep threads: once a day, queues the erasure of expired and abandoned threads and of overdue tombstones."""

import time
from typing import Any

from shared import clients, erasure_queue
from shared.erasure_queue import Erasure
from shared.store import sweep, table

# The init phase makes the clients, so that no event waits for them.
table.client()
clients.sqs()

_RESERVE_SECONDS = 60


def handler(event: dict[str, Any], context: Any) -> None:
    """Walk over all threads for most of the function's time; the next run continues where this one stops.

    An event with `unfinished` (the hourly one of the template) only resumes a walk; it does not start one.
    """
    seconds = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    table.set_deadline(seconds + _RESERVE_SECONDS / 2)
    for partition in sweep.overdue_partitions(time.monotonic() + seconds, begin="unfinished" not in event):
        erasure_queue.send([Erasure(partition)])
