"""The way of an erasure on one machine: the table's stream, the template's filters, the queue, and the functions."""

import json
import os
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3

from tests.support.client import Client
from tools.local import template
from tools.local.filters import passes

TEMPLATE = template.load()


def resource(name: str) -> dict[str, Any]:
    """Return the properties of a resource of the template."""
    properties: dict[str, Any] = template.read()["Resources"][name]["Properties"]
    return properties


_FILTERS = resource("QueueJobs")["Events"]["Changes"]["Properties"]["FilterCriteria"]["Filters"]
PATTERNS = [json.loads(entry["Pattern"]) for entry in _FILTERS]


@dataclass
class Erasures:
    """Stream, queue and functions, each moved by hand, so that a test can lose what stands between two steps."""

    _iterators: list[str]
    queue: deque[str] = field(default_factory=deque)
    sent: list[dict[str, Any]] = field(default_factory=list)
    refuse: bool = False

    def records(self) -> list[dict[str, Any]]:
        """Take from the stream what was done until now, and return what the filters let through."""
        found: list[dict[str, Any]] = []
        mark = _mark()
        while not any(record["dynamodb"]["Keys"]["messageId"]["S"] == mark for record in found):
            for place, iterator in enumerate(self._iterators):
                answer = _streams().get_records(ShardIterator=iterator)
                self._iterators[place] = answer["NextShardIterator"]
                found += answer["Records"]
        return [record for record in found if passes(PATTERNS, record)]

    def erase(self, seconds: float = 90) -> int:
        """Run EraseThread until the queue is empty, each time with so many seconds; return the number of runs."""
        runs = 0
        while self.queue:
            self.erase_once(seconds)
            runs += 1
        return runs

    def erase_once(self, seconds: float = 90) -> None:
        """Run EraseThread on the first message of the queue, which leaves only when the function has ended well."""
        from functions import erase_thread

        erase_thread.handler({"Records": [{"body": self.queue[0]}]}, context(seconds + 30))
        self.queue.popleft()

    def run(self) -> None:
        """Let everything happen that AWS would bring about by itself."""
        while records := self.records():
            queue(records)
            self.erase()


def queue(records: list[dict[str, Any]]) -> None:
    """Run QueueJobs on records of the stream."""
    from functions import queue_jobs

    queue_jobs.handler({"Records": records}, context(25))


def sweep(client: Client, seconds: float = 60) -> None:
    """Run SweepThreads over the threads of one project. Those that come before it are other tests' business."""
    from functions import sweep_threads
    from shared.store import keys
    from shared.store import sweep as walk

    walk._remember(walk.Position(keys.threads_partitions(client.project, 1)[0]))
    sweep_threads.handler({}, context(seconds + 60))


def context(seconds: float) -> SimpleNamespace:
    """Return what a function is told of its remaining time."""
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000))


@contextmanager
def running() -> Iterator[Erasures]:
    """Begin at the stream's present end, with an empty queue."""
    from shared import clients

    table = boto3.client("dynamodb").describe_table(TableName=TEMPLATE.table["TableName"])["Table"]
    arn = table["LatestStreamArn"]
    shards = _streams().describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    erasures = Erasures(
        [
            _streams().get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")[
                "ShardIterator"
            ]
            for shard in shards
            if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
        ]
    )

    def take(params: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, dict[str, Any]]:
        entries = json.loads(params["body"])["Entries"]
        if erasures.refuse:
            failed = [{"Id": entry["Id"], "Code": "ServiceUnavailable", "SenderFault": False} for entry in entries]
            return SimpleNamespace(status_code=200), {"Failed": failed}
        erasures.sent += entries
        erasures.queue += [entry["MessageBody"] for entry in entries]
        return SimpleNamespace(status_code=200), {"Successful": [{"Id": entry["Id"]} for entry in entries]}

    events = clients.sqs().meta.events
    events.register("before-call.sqs.SendMessageBatch", take)
    try:
        yield erasures
    finally:
        events.unregister("before-call.sqs.SendMessageBatch", take)


def _mark() -> str:
    """Write something and return its sort key: once the stream shows it, it shows all that came before."""
    from shared.store import keys, table

    table.set_deadline(60)
    table.put(keys.key("mark", mark := uuid.uuid4().hex))
    return mark


def _streams() -> Any:
    return boto3.client("dynamodbstreams", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
