"""Sends messages to the queues between the functions."""

import json
import os
from collections.abc import Sequence
from typing import Any

from shared import clients


def send_all(variable: str, messages: Sequence[Any], **options: int) -> None:
    """Send named tuples as JSON to the queue whose URL is in an environment variable, ten in each call.

    Without messages the variable is not read: a deployment without runs has no queue of runs.
    Raises RuntimeError when the queue did not take one of the messages.
    """
    for start in range(0, len(messages), 10):
        entries = [
            {"Id": str(index), "MessageBody": json.dumps(message._asdict()), **options}
            for index, message in enumerate(messages[start : start + 10])
        ]
        response = clients.sqs().send_message_batch(QueueUrl=os.environ[variable], Entries=entries)
        if response.get("Failed"):
            raise RuntimeError(response["Failed"][0]["Code"])
