"""The queue of what is to be erased: a partition, or what in it begins with a prefix."""

import json
import os
from typing import Any, NamedTuple

import botocore.session
from botocore.config import Config

# A queue that does not answer fails the function within its time-out: what it was to send comes again.
_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})

_client: Any = botocore.session.get_session().create_client("sqs", config=_CONFIG)
_url = os.environ["ERASURE_QUEUE_URL"]


class Erasure(NamedTuple):
    """A partition of a thread, to be erased when its head is a tombstone; with a prefix, only the keys under it."""

    partition: str
    prefix: str = ""


def send(erasures: list[Erasure], *, delayed: bool = True) -> None:
    """Queue erasures, ten a call. Raises RuntimeError when the queue did not take one of them.

    They are handed out after the queue's delay, which is longer than any function runs, so that whoever began to
    write before the thread was deleted has ended by then. `delayed=False` is for what has waited already.
    """
    options = {} if delayed else {"DelaySeconds": 0}
    for start in range(0, len(erasures), 10):
        entries = [
            {"Id": str(place), "MessageBody": json.dumps(erasure._asdict()), **options}
            for place, erasure in enumerate(erasures[start : start + 10])
        ]
        answer = _client.send_message_batch(QueueUrl=_url, Entries=entries)
        if answer.get("Failed"):
            raise RuntimeError(answer["Failed"][0]["Code"])


def received(body: str) -> Erasure:
    """Return the erasure that a message of the queue asks for."""
    return Erasure(**json.loads(body))
