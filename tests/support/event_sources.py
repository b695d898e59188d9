"""Invokes the event functions step by step, in place of AWS: with the queues on moto and the table's stream."""

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
from moto.backends import get_backend

from tests.support import canaries, stream
from tests.support.client import Client
from tests.support.hooks import hooked, response
from tools.local import template
from tools.local.dynamodb import table_stream
from tools.local.filters import passes
from tools.local.template import ACCOUNT, REGION

FIFO = {False: "COMMANDS_URL", True: "FIFO_COMMANDS_URL"}
REJECTED = {False: "REJECTED_COMMANDS_URL", True: "REJECTED_FIFO_COMMANDS_URL"}
_SCHEDULES = template.read()["Resources"]["SweepThreads"]["Properties"]["Events"]


# -- The inbound queues and IngestMessage


def client() -> Any:
    return boto3.client("sqs")


def command(of: Client, thread_id: str, content: Any = "hello", **fields: Any) -> dict[str, Any]:
    """Return a command. It gets a new id unless one is given."""
    own = {"command_id": uuid.uuid4().hex, "project": of.project, "thread_id": thread_id}
    return own | {"role": "user", "content": content} | fields


def put(body: Any, group: str = "") -> None:
    """Put a command into the standard queue. With a message group, put it into the FIFO queue."""
    text = body if isinstance(body, str) else json.dumps(body)
    canaries.note_body(text)
    own = {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex} if group else {}
    client().send_message(QueueUrl=os.environ[FIFO[bool(group)]], MessageBody=text, **own)


def take(*, fifo: bool = False) -> list[dict[str, Any]]:
    """Receive at most ten messages, as records of an event."""
    url = os.environ[FIFO[fifo]]
    found = client().receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    return [
        queued(message["Body"], message["MessageId"], message["ReceiptHandle"], message["Attributes"], fifo=fifo)
        for message in found.get("Messages", [])
    ]


def queued(
    body: str, name: str, receipt: str = "receipt", attributes: dict[str, str] | None = None, *, fifo: bool = False
) -> dict[str, Any]:
    """Return a message of an inbound queue as a record of an event."""
    return {
        "messageId": name,
        "receiptHandle": receipt,
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"} | (attributes or {}),
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:commands{'.fifo' if fifo else ''}",
        "awsRegion": REGION,
    }


def run(records: list[dict[str, Any]]) -> list[str]:
    """Run IngestMessage on records. Return the message ids that the function wants delivered again."""
    from functions import ingest_message

    answer = ingest_message.handler({"Records": records}, None)
    assert list(answer) == ["batchItemFailures"]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def deliver(*, fifo: bool = False) -> list[str]:
    """Process one batch of a queue as Lambda does: run the function and delete the messages that it processed.

    Return the bodies of the messages that failed.
    """
    records = take(fifo=fifo)
    again = run(records)
    for record in records:
        if record["messageId"] not in again:
            client().delete_message(QueueUrl=os.environ[FIFO[fifo]], ReceiptHandle=record["receiptHandle"])
    return [record["body"] for record in records if record["messageId"] in again]


def rejected(*, fifo: bool = False) -> list[tuple[str, Any]]:
    """Take all dead letters. Return the body and the error of each; the error is None if the letter has none."""
    found: list[tuple[str, Any]] = []
    for message in _emptied(os.environ[REJECTED[fifo]]):
        error = message.get("MessageAttributes", {}).get("error", {}).get("StringValue")
        canaries.check_error(error or "", canaries.note_body(message["Body"]))
        found.append((message["Body"], json.loads(error) if error else None))
    return found


def _emptied(url: str) -> Iterator[dict[str, Any]]:
    """Take all messages of a queue, in any order."""
    sqs = client()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages"
    ):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield message


def wait() -> None:
    """Make all messages visible again, as if time had passed. moto's clock does not follow the test's."""
    for queue in get_backend("sqs")[ACCOUNT][REGION].queues.values():
        for message in queue._messages:
            message.visible_at = 0.0
        queue._pending_messages = set()


def clear() -> None:
    """Empty all queues without PurgeQueue, which moto allows only once a minute."""
    for queue in get_backend("sqs")[ACCOUNT][REGION].queues.values():
        queue._messages = []
        queue._pending_messages = set()


# -- The erasure queue and its functions


class Queue:
    """The erasure queue on moto."""

    def taken(self) -> list[dict[str, str]]:
        """Take all messages of the queue, in any order. Return their contents."""
        return [json.loads(message["Body"]) for message in _emptied(os.environ["ERASURE_QUEUE_URL"])]


def context(seconds: float) -> SimpleNamespace:
    """Return a context, from which a function reads its remaining time."""
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000))


def erase(*erasures: dict[str, str], seconds: float = 300) -> None:
    """Run EraseThread on these messages of the queue, with this much time."""
    from functions.erase_thread import handler

    handler({"Records": [{"body": json.dumps(erasure)} for erasure in erasures]}, context(seconds))


def sweep(seconds: float = 300, schedule: str = "Daily") -> None:
    """Run SweepThreads with this much time, on the event that the template's schedule sends."""
    from functions.sweep_threads import handler

    sent = _SCHEDULES[schedule]["Properties"].get("Input", "{}")
    handler(json.loads(sent), context(seconds))


def sweep_project(project: Client, seconds: float = 60) -> None:
    """Run SweepThreads over the threads of one project and of all later projects, which no client uses yet.

    A client's project comes after those of earlier clients. Their threads belong to other tests.
    """
    from shared.store import keys
    from shared.store import sweep as walk

    walk._remember(walk.Position(keys.threads_partitions(project.project, 1)[0]))
    sweep(seconds + 60)


def queue_changes(*changes: dict[str, Any]) -> None:
    """Run QueueJobs on these changes of the stream."""
    queue_records([{"dynamodb": change} for change in changes])


def queue_records(records: list[dict[str, Any]]) -> None:
    """Run QueueJobs on records of the stream."""
    from functions.queue_jobs import handler

    handler({"Records": records}, context(25))


def change(partition: str, sort: str, old: Any = None, new: Any = None) -> dict[str, Any]:
    """Return a change of an item in the form of the stream's records."""
    found = {"Keys": {"threadId": {"S": partition}, "messageId": {"S": sort}}}
    return found | ({"OldImage": old} if old else {}) | ({"NewImage": new} if new else {})


def asked(partition: str, prefix: str = "") -> dict[str, str]:
    """Return the erasure that a message of the queue asks for."""
    return {"partition": partition, "prefix": prefix}


# -- The whole way of an erasure, on the stream of DynamoDB Local


@dataclass
class Erasures:
    """Stream, queue and functions. A test makes each step itself, so that it can lose records between two steps."""

    read: table_stream.Read
    queue: deque[str] = field(default_factory=deque)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def records(self) -> list[dict[str, Any]]:
        """Take all records up to now from the stream. Return those that pass the filters."""
        from shared.store import keys, table

        table.set_deadline(60)
        table.put(keys.key("mark", mark := uuid.uuid4().hex))  # the stream shows it after all earlier changes
        found: list[dict[str, Any]] = []
        while not any(record["dynamodb"]["Keys"]["messageId"]["S"] == mark for record in found):
            found += self.read()
        return [record for record in found if passes(stream.patterns("QueueJobs"), record)]

    def erase(self, seconds: float = 90) -> int:
        """Run EraseThread until the queue is empty, each time for at most `seconds`. Return the number of runs."""
        runs = 0
        while self.queue:
            self.erase_once(seconds)
            runs += 1
        return runs

    def erase_once(self, seconds: float = 90) -> None:
        """Run EraseThread on the first message of the queue. The message is removed only if the function succeeds."""
        erase(json.loads(self.queue[0]), seconds=seconds + 30)
        self.queue.popleft()

    def run(self) -> None:
        """Make all steps that AWS would make by itself."""
        while records := self.records():
            queue_records(records)
            self.erase()

    def take(self, params: dict[str, Any], **_: Any) -> Any:
        """Respond to SendMessageBatch."""
        entries = json.loads(params["body"])["Entries"]
        self.sent += entries
        self.queue += [entry["MessageBody"] for entry in entries]
        return response({"Successful": [{"Id": entry["Id"]} for entry in entries]})


@contextmanager
def erasures() -> Iterator[Erasures]:
    """Return erasures that begin at the stream's current end, with an empty queue."""
    from shared import clients

    read = table_stream.in_engine(os.environ["TABLE_NAME"], os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
    assert read
    found = Erasures(read)
    with hooked(clients.sqs(), before_call=found.take):
        yield found
