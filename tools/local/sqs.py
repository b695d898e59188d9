"""The queues between the functions, in this process: messages are served until they succeed or count as dead."""

import hashlib
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from tools.local.backlog import Backlog
from tools.local.lambda_runtime import Record, Runner, say
from tools.local.template import REGION, Queue

_LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue; `error` is what the function gave as the reason, or empty."""

    queue: str
    body: str
    error: str = ""


@dataclass
class Message:
    """A message on its way through a queue; `settled` gets how that ended, None for well."""

    body: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent: float = field(default_factory=time.time)
    receives: int = 0
    settled: Future[DeadLetter | None] = field(default_factory=Future)


class Queues:
    """The queues that feed functions, by name; every other one is taken for a dead-letter queue.

    `delays` is False where nothing else runs beside a function, so that no delay is needed.
    """

    def __init__(self, described: list[Queue], *, delays: bool) -> None:
        self.dead_letters: list[DeadLetter] = []
        self.backlogs: Mapping[str, Backlog[Message]] = {queue.name: Backlog() for queue in described}
        self._delays = {queue.name: queue.delay if delays else 0.0 for queue in described}

    def put(self, queue: str, body: str) -> Message:
        """Put a message into a queue that feeds a function."""
        message = Message(body)
        self.backlogs[queue].put(message, self._delays[queue])
        return message

    def send_message(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer SQS's SendMessage."""
        self._take(asked["QueueUrl"], asked)
        return {"MessageId": str(uuid.uuid4())}

    def send_message_batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer SQS's SendMessageBatch."""
        for entry in asked["Entries"]:
            self._take(asked["QueueUrl"], entry)
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]]}

    def change_message_visibility_batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer SQS's ChangeMessageVisibilityBatch: messages come again soon in any case."""
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]]}

    def serve(self, queue: Queue, runner: Runner) -> None:
        """Hand a function the messages until the backlog ends; one by one, so that it is known what became of each."""
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
                self._bury(letter)
                message.settled.set_result(letter)

    def _take(self, url: str, asked: dict[str, Any]) -> None:
        queue, body = url.rpartition("/")[2], asked["MessageBody"]
        if queue not in self.backlogs:
            reason = asked.get("MessageAttributes", {}).get("error", {})
            self._bury(DeadLetter(queue, body, reason.get("StringValue", "")))
        else:
            delay = min(self._delays[queue], asked.get("DelaySeconds", self._delays[queue]))
            self.backlogs[queue].put(Message(body), delay)

    def _bury(self, letter: DeadLetter) -> None:
        self.dead_letters.append(letter)
        # Not its body: that is content.
        say(f"dead letter in {letter.queue}{letter.error and ': '}{letter.error}")


def _record(queue: Queue, message: Message) -> Record:
    """Return a message as Lambda hands it to a function."""
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
