"""The erasure queue: each message names a partition, or a prefix of keys in a partition, to erase."""

import json
from typing import NamedTuple

from shared import queues


class Erasure(NamedTuple):
    """A partition of a thread, to be erased if its head is a tombstone.

    With a prefix, only the items whose sort keys begin with it are erased, whatever the head is.
    """

    partition: str
    prefix: str = ""


def send(erasures: list[Erasure], *, delayed: bool = True) -> None:
    """Queue erasures. Raises RuntimeError when the queue did not take one of them.

    The queue delivers them after a delay, which is longer than the time-out of the API's functions. Writes that began
    before the thread was deleted have ended by then. `delayed=False` is for erasures that have waited already.
    """
    queues.send_all("ERASURE_QUEUE_URL", erasures, **({} if delayed else {"DelaySeconds": 0}))


def received(body: str) -> Erasure:
    """Return the erasure in a message of the queue."""
    return Erasure(**json.loads(body))
