"""The clients of SQS, EventBridge and Secrets Manager.

A function that always needs a client makes it at import, in the init phase.
"""

import json
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

# If a queue does not respond, the function fails within its time-out, and the records are delivered again.
_SQS_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
_EVENTS_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_SECRETS_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@cache
def sqs() -> Any:
    """Return the client of SQS."""
    return botocore.session.get_session().create_client("sqs", config=_SQS_CONFIG)


def queue_all(variable: str, messages: Sequence[Any], **options: int) -> None:
    """Send named tuples as JSON to the queue whose URL is in an environment variable, ten in each call.

    Without messages the variable is not read: a deployment without runs has no queue of runs.
    Raises RuntimeError when the queue did not take one of the messages.
    """
    for start in range(0, len(messages), 10):
        entries = [
            {"Id": str(index), "MessageBody": json.dumps(message._asdict()), **options}
            for index, message in enumerate(messages[start : start + 10])
        ]
        response = sqs().send_message_batch(QueueUrl=os.environ[variable], Entries=entries)
        if response.get("Failed"):
            raise RuntimeError(response["Failed"][0]["Code"])


@cache
def events() -> Any:
    """Return the client of EventBridge."""
    return botocore.session.get_session().create_client("events", config=_EVENTS_CONFIG)


@cache
def secrets_manager() -> Any:
    """Return the client of Secrets Manager."""
    return botocore.session.get_session().create_client("secretsmanager", config=_SECRETS_CONFIG)
