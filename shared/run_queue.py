"""The queue of runs that wait for the model."""

import json
import os
from contextlib import suppress
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from shared import clients, queues


class QueuedRun(NamedTuple):
    """A run that became queued: the partition of its thread, and its id."""

    partition: str
    run_id: str


def send(runs: list[QueuedRun]) -> None:
    """Queue runs. Raises RuntimeError when the queue did not take one of them."""
    queues.send_all("RUNS_QUEUE_URL", runs)


def received(body: str) -> QueuedRun:
    """Return the run that a message of the queue names."""
    return QueuedRun(**json.loads(body))


def deliver_soon(record: dict[str, Any], seconds: int) -> None:
    """Make the queue deliver a message again after `seconds`, and not after the queue's visibility timeout."""
    with suppress(BotoCoreError, ClientError):  # if this fails, the message only comes later
        clients.sqs().change_message_visibility(
            QueueUrl=os.environ["RUNS_QUEUE_URL"], ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
        )
