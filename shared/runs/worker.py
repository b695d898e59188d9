"""The worker of the queue of runs. If a fault prevents the claim of a run, its message is soon delivered again."""

from typing import Any

from shared import error_mapping, run_queue
from shared.log import logger
from shared.runs import execution

_PAUSE_SECONDS = 5


def work(records: list[dict[str, Any]]) -> list[str]:
    """Execute the runs in these records of the queue; return the ids of the messages to deliver again."""
    return [record["messageId"] for record in records if not _is_done(record)]


def _is_done(record: dict[str, Any]) -> bool:
    try:
        run = run_queue.received(record["body"])
        execution.execute(run.partition, run.run_id)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run must not be lost
        # The line omits the exception itself, whose text could contain content.
        logger.error("run", extra={"cause": error_mapping.cause(error)})
        run_queue.deliver_soon(record, _PAUSE_SECONDS)
        return False
    return True
