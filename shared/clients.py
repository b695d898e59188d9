"""The clients of SQS, EventBridge and Secrets Manager.

A function that always needs a client makes it at import, in the init phase.
"""

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


@cache
def events() -> Any:
    """Return the client of EventBridge."""
    return botocore.session.get_session().create_client("events", config=_EVENTS_CONFIG)


@cache
def secrets_manager() -> Any:
    """Return the client of Secrets Manager."""
    return botocore.session.get_session().create_client("secretsmanager", config=_SECRETS_CONFIG)
