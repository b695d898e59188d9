"""The three event functions of the erasure, run by hand, and the queue between them."""

import json
import os
from types import SimpleNamespace
from typing import Any

import boto3

from tools.local import template

_SCHEDULES = template.read()["Resources"]["SweepThreads"]["Properties"]["Events"]


class Queue:
    """The erasure queue: what was sent to it since it was last looked at."""

    def __init__(self) -> None:
        self._client = boto3.client("sqs")
        self._url = os.environ["ERASURE_QUEUE_URL"]

    def taken(self) -> list[dict[str, str]]:
        """Take and return what is in the queue, in any order."""
        found: list[dict[str, str]] = []
        while records := self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for record in records:
                found.append(json.loads(record["Body"]))
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=record["ReceiptHandle"])
        return found


def _context(seconds: float) -> Any:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000))


def erase(*erasures: dict[str, str], seconds: float = 300) -> None:
    """Run erase thread on these messages of the queue, with so much time."""
    from functions.erase_thread import handler

    handler({"Records": [{"body": json.dumps(erasure)} for erasure in erasures]}, _context(seconds))


def sweep(seconds: float = 300, schedule: str = "Daily") -> None:
    """Run sweep threads with so much time, on the event that a schedule of the template sends."""
    from functions.sweep_threads import handler

    sent = _SCHEDULES[schedule]["Properties"].get("Input", "{}")
    handler(json.loads(sent), _context(seconds))


def queue_changes(*changes: dict[str, Any]) -> None:
    """Run queue erasures on these changes of the stream."""
    from functions.queue_jobs import handler

    handler({"Records": [{"dynamodb": change} for change in changes]}, None)


def change(partition: str, sort: str, old: Any = None, new: Any = None) -> dict[str, Any]:
    """Return a change of an item as a record of the stream has it."""
    found = {"Keys": {"threadId": {"S": partition}, "messageId": {"S": sort}}}
    return found | ({"OldImage": old} if old else {}) | ({"NewImage": new} if new else {})


def asked(partition: str, prefix: str = "") -> dict[str, str]:
    """Return what a message of the queue asks for."""
    return {"partition": partition, "prefix": prefix}
