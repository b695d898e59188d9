"""The inbound queues for tests: what is put in comes to the function as Lambda delivers it, until it is done."""

import json
import os
import uuid
from typing import Any

import boto3
from moto.backends import get_backend

from tests.support import canaries
from tests.support.client import Client
from tools.local.template import ACCOUNT, REGION

FIFO = {False: "COMMANDS_URL", True: "FIFO_COMMANDS_URL"}
REJECTED = {False: "REJECTED_COMMANDS_URL", True: "REJECTED_FIFO_COMMANDS_URL"}


def client() -> Any:
    return boto3.client("sqs")


def command(of: Client, thread_id: str, content: Any = "hello", **fields: Any) -> dict[str, Any]:
    """Return a command; its id is a new one unless it is given."""
    own = {"command_id": uuid.uuid4().hex, "project": of.project, "thread_id": thread_id}
    return own | {"role": "user", "content": content} | fields


def put(body: Any, group: str = "") -> None:
    """Put a command into the standard queue, or with a message group into the FIFO queue."""
    text = body if isinstance(body, str) else json.dumps(body)
    canaries.note_body(text)
    own = {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex} if group else {}
    client().send_message(QueueUrl=os.environ[FIFO[bool(group)]], MessageBody=text, **own)


def take(*, fifo: bool = False) -> list[dict[str, Any]]:
    """Receive at most ten messages, as records of an event."""
    url = os.environ[FIFO[fifo]]
    answer = client().receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{url.rpartition('/')[2]}",
            "awsRegion": "us-east-1",
        }
        for message in answer.get("Messages", [])
    ]


def run(records: list[dict[str, Any]]) -> list[str]:
    """Run IngestMessage on records; return the message ids that are to be delivered again."""
    from functions import ingest_message

    answer = ingest_message.handler({"Records": records}, None)
    assert list(answer) == ["batchItemFailures"]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def deliver(*, fifo: bool = False) -> list[str]:
    """Let Lambda take one batch from a queue, and delete what is done; return the bodies of what is not."""
    records = take(fifo=fifo)
    again = run(records)
    for record in records:
        if record["messageId"] not in again:
            client().delete_message(QueueUrl=os.environ[FIFO[fifo]], ReceiptHandle=record["receiptHandle"])
    return [record["body"] for record in records if record["messageId"] in again]


def rejected(*, fifo: bool = False) -> list[tuple[str, Any]]:
    """Take all dead letters: the body of each, and the error that it carries (None when it has none)."""
    url = os.environ[REJECTED[fifo]]
    found: list[tuple[str, Any]] = []
    while True:
        answer = client().receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        if "Messages" not in answer:
            return found
        for message in answer["Messages"]:
            error = message.get("MessageAttributes", {}).get("error", {}).get("StringValue")
            canaries.check_error(error or "", canaries.note_body(message["Body"]))
            found.append((message["Body"], json.loads(error) if error else None))
            client().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def wait() -> None:
    """Let the time pass until everything is handed out again; moto has a clock of its own."""
    for queue in _backend().queues.values():
        for message in queue._messages:
            message.visible_at = 0.0
        queue._pending_messages = set()


def clear() -> None:
    """Empty all queues; moto purges one only once a minute."""
    for queue in _backend().queues.values():
        queue._messages = []
        queue._pending_messages = set()


def _backend() -> Any:
    return get_backend("sqs")[ACCOUNT][REGION]
