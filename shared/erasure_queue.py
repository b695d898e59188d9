"""The erasure queue: each message names a partition, or a prefix of keys in a partition, to erase."""

import json
import os
from typing import NamedTuple

from shared import clients


class Erasure(NamedTuple):
    """A partition of a thread, to be erased when its head is a tombstone; with a prefix, only the keys under it."""

    partition: str
    prefix: str = ""


def send(erasures: list[Erasure], *, delayed: bool = True) -> None:
    """Queue erasures, ten a call. Raises RuntimeError when the queue did not take one of them.

    The queue delivers them after a delay, which is longer than any function runs. Writes that began before the thread
    was deleted have ended by then. `delayed=False` is for erasures that have waited already.
    """
    options = {} if delayed else {"DelaySeconds": 0}
    for start in range(0, len(erasures), 10):
        entries = [
            {"Id": str(index), "MessageBody": json.dumps(erasure._asdict()), **options}
            for index, erasure in enumerate(erasures[start : start + 10])
        ]
        response = clients.sqs().send_message_batch(QueueUrl=os.environ["ERASURE_QUEUE_URL"], Entries=entries)
        if response.get("Failed"):
            raise RuntimeError(response["Failed"][0]["Code"])


def received(body: str) -> Erasure:
    """Return the erasure in a message of the queue."""
    return Erasure(**json.loads(body))
