"""The queue of what is to be erased: a partition, or what in it begins with a prefix."""

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

    They are handed out after the queue's delay, which is longer than any function runs, so that whoever began to
    write before the thread was deleted has ended by then. `delayed=False` is for what has waited already.
    """
    options = {} if delayed else {"DelaySeconds": 0}
    for start in range(0, len(erasures), 10):
        entries = [
            {"Id": str(place), "MessageBody": json.dumps(erasure._asdict()), **options}
            for place, erasure in enumerate(erasures[start : start + 10])
        ]
        answer = clients.sqs().send_message_batch(QueueUrl=os.environ["ERASURE_QUEUE_URL"], Entries=entries)
        if answer.get("Failed"):
            raise RuntimeError(answer["Failed"][0]["Code"])


def received(body: str) -> Erasure:
    """Return the erasure that a message of the queue asks for."""
    return Erasure(**json.loads(body))
