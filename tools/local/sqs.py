"""The queues between the functions, in this process.

A message is delivered until the function succeeds or the message becomes a dead letter.
"""

import hashlib
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from tools.local.backlog import Backlog
from tools.local.lambda_runtime import Record, Runner, say
from tools.local.template import REGION, Queue

_LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue. `error` is the reason that the function gave, or empty."""

    queue: str
    body: str
    error: str = ""


@dataclass
class Message:
    """A message of a queue. `settled` gets None when the function has succeeded, else the dead letter."""

    body: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent: float = field(default_factory=time.time)
    receives: int = 0
    settled: Future[DeadLetter | None] = field(default_factory=Future)


class Queues:
    """The queues that functions read, by name. A message to any other queue is a dead letter."""

    def __init__(self, queues: Iterable[Queue]) -> None:
        self._delays = {queue.name: queue.delay for queue in queues}
        self.dead_letters: list[DeadLetter] = []
        self.backlogs: Mapping[str, Backlog[Message]] = {name: Backlog() for name in self._delays}

    def send(self, queue: str, body: str) -> Message:
        """Put a message into a queue that a function reads."""
        message = Message(body)
        self.backlogs[queue].put(message, self._delays[queue])
        return message

    def send_message(self, request: dict[str, Any]) -> dict[str, Any]:
        """Respond to SQS's SendMessage."""
        self._accept(request["QueueUrl"], request)
        return {"MessageId": str(uuid.uuid4())}

    def send_message_batch(self, request: dict[str, Any]) -> dict[str, Any]:
        """Respond to SQS's SendMessageBatch."""
        for entry in request["Entries"]:
            self._accept(request["QueueUrl"], entry)
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}

    def change_message_visibility(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Respond to SQS's ChangeMessageVisibility, which changes nothing: retries come soon in any case."""
        return {}

    def change_message_visibility_batch(self, request: dict[str, Any]) -> dict[str, Any]:
        """Respond to SQS's ChangeMessageVisibilityBatch, which changes nothing: retries come soon in any case."""
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}

    def serve(self, queue: Queue, runner: Runner) -> None:
        """Run a function on the messages until the backlog ends.

        It gets one message at a time, so that the result of each is known.

        Several threads can serve a queue.
        """
        backlog = self.backlogs[queue.name]
        while messages := backlog.take(1):
            message = messages[0]
            message.receives += 1
            before = len(self.dead_letters)
            if not runner.run([_record(queue, message)], [message.id]):
                rejected = [letter for letter in self.dead_letters[before:] if letter.body == message.body]
                message.settled.set_result(rejected[0] if rejected else None)
            elif message.receives < queue.receives and not backlog.closed:
                backlog.put(message, min(0.25 * 2**message.receives, _LONGEST_PAUSE))
            else:
                letter = DeadLetter(queue.dead_letters, message.body)
                self._add_dead_letter(letter)
                message.settled.set_result(letter)

    def _accept(self, url: str, entry: dict[str, Any]) -> None:
        queue, body = url.rpartition("/")[2], entry["MessageBody"]
        if queue not in self.backlogs:
            reason = entry.get("MessageAttributes", {}).get("error", {})
            self._add_dead_letter(DeadLetter(queue, body, reason.get("StringValue", "")))
        else:
            delay = min(self._delays[queue], entry.get("DelaySeconds", self._delays[queue]))
            self.backlogs[queue].put(Message(body), delay)

    def _add_dead_letter(self, letter: DeadLetter) -> None:
        self.dead_letters.append(letter)
        # Do not print its body, which is content.
        say(f"dead letter in {letter.queue}{letter.error and ': '}{letter.error}")


def _record(queue: Queue, message: Message) -> Record:
    """Return a message in the form in which Lambda passes it to a function."""
    milliseconds = str(int(message.sent * 1000))
    return {
        "messageId": message.id,
        "receiptHandle": f"{message.id}/{message.receives}",
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": milliseconds,
            "SenderId": "local",
            "ApproximateFirstReceiveTimestamp": milliseconds,
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": REGION,
    }
