"""Queue jobs: reads the table's stream, and sends erasures to the erasure queue and queued runs to the run queue.

One function does both, because a shard of the stream has two readers at most, and publish_events is the other.
"""

from typing import Any

from shared import clients, erasure_queue, run_queue
from shared.erasure_queue import Erasure
from shared.run_queue import QueuedRun
from shared.store import items, keys

# The init phase makes the client, so that no event waits for it.
clients.sqs()


def handler(event: dict[str, Any], _context: object) -> None:
    """Queue the job of each record of the stream. After a failure the whole batch comes again, which is harmless.

    The template's filter lets through the heads that became tombstones, the changes of messages and assistants that had
    chunks, and the runs that became queued.
    """
    changes = [record["dynamodb"] for record in event["Records"]]
    run_queue.send([run for change in changes if (run := _queued_run(change))])
    erasure_queue.send([erasure for change in changes if (erasure := _erasure(change))])


def _queued_run(change: dict[str, Any]) -> QueuedRun | None:
    """Return the run that became queued, or None for any other change."""
    sort = change["Keys"]["messageId"]["S"]
    return QueuedRun(change["Keys"]["threadId"]["S"], sort) if sort.startswith(keys.RUN_PREFIX) else None


def _erasure(change: dict[str, Any]) -> Erasure | None:
    """Return the items to erase after a change, or None when there are none."""
    partition, sort = change["Keys"]["threadId"]["S"], change["Keys"]["messageId"]["S"]
    if sort == keys.HEAD:
        return Erasure(partition)
    if sort.startswith(keys.RUN_PREFIX):
        return None
    left = items.chunk_prefix(change["OldImage"])
    now = change.get("NewImage", {})
    return None if "parts" in now and items.chunk_prefix(now) == left else Erasure(partition, left)
