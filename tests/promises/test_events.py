"""No event and no command is lost or doubled, whatever fails and however often a record or message is delivered.

The stream is DynamoDB Local's own. This process responds to the calls of EventBridge and SQS, behind botocore.

    EVENTS_OPERATIONS=10000 EVENTS_THREADS=200 COMMANDS=10000 python -m pytest tests/promises/test_events.py -s
"""

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.promises.calls import KilledError
from tests.promises.threads import messages, texts, threads
from tests.support import event_sources as queues
from tests.support import schemas, stream
from tests.support.client import Client
from tests.support.consumer import Consumer
from tests.support.hooks import hooked, response
from tools.local import filters
from tools.local.dynamodb import table_stream

OPERATIONS = int(os.environ.get("EVENTS_OPERATIONS", "400"))
THREADS = int(os.environ.get("EVENTS_THREADS", "30"))
COMMANDS = int(os.environ.get("COMMANDS", "250"))


@dataclass
class Faults:
    """Kills the process, or throttles the call, at a seeded share of a client's calls."""

    draw: random.Random
    share: float = 0.01
    killed: int = 0
    throttled: int = 0

    def before(self, **_: Any) -> Any:
        chance = self.draw.random()
        if chance < self.share:
            self.throttled += 1
            return response({"Error": {"Code": "ThrottlingException", "Message": "injected"}}, 400)
        self._die(chance < self.share + 0.01)
        return None

    def after(self, **_: Any) -> None:
        self._die(self.draw.random() < 0.01)

    def _die(self, now: bool) -> None:
        if now:
            self.killed += 1
            raise KilledError

    @contextmanager
    def in_client(self, client: Any) -> Iterator[None]:
        with hooked(client, before_call=self.before, after_call=self.after):
            yield


@dataclass
class Bus:
    """EventBridge. It takes entries within its limits, but refuses every 37th, and some of these several times.

    It kills the publisher now and then, before or after it takes the entries.
    """

    draw: random.Random
    stubborn: Counter[str] = field(default_factory=Counter)
    taken: list[tuple[str, str]] = field(default_factory=list)
    entries: int = 0
    refused: int = 0
    killed: int = 0

    def put(self, params: dict[str, Any], **_: Any) -> Any:
        entries = json.loads(params["body"])["Entries"]
        assert 1 <= len(entries) <= 10
        assert sum(len(entry["Detail"].encode()) for entry in entries) <= 990_000
        self._die()
        answers = [self._take(entry) for entry in entries]
        self._die()
        failed = sum("ErrorCode" in answer for answer in answers)
        return response({"FailedEntryCount": failed, "Entries": answers})

    def _die(self) -> None:
        if self.draw.random() < 0.01:
            self.killed += 1
            raise KilledError

    def _take(self, entry: dict[str, str]) -> dict[str, str]:
        self.entries += 1
        if self.entries % 37 == 0:
            # It refuses some entries more often than the publisher tries.
            self.stubborn[entry["Detail"]] = self.draw.randint(1, 7)
        if self.stubborn[entry["Detail"]]:
            self.stubborn[entry["Detail"]] -= 1
            self.refused += 1
            return {"ErrorCode": "InternalFailure", "ErrorMessage": "injected"}
        self.taken.append((entry["DetailType"], entry["Detail"]))
        return {"EventId": str(self.entries)}


@dataclass
class Publisher:
    """Runs PublishEvents on records, as Lambda does for a shard.

    The records of each item are in order. After a failure, records from the named one on are delivered again.
    """

    draw: random.Random
    read: table_stream.Read
    faults: Faults
    waiting: list[stream.Record] = field(default_factory=list)
    done: list[stream.Record] = field(default_factory=list)
    invocations: int = 0

    def follow(self) -> None:
        """Take all records that the stream has so far."""
        wanted = stream.patterns("PublishEvents")
        while records := self.read():
            self.waiting += [record for record in records if filters.passes(wanted, record)]

    def run(self, least: int = 0) -> None:
        """Publish until at most this number of records is left."""
        while len(self.waiting) > least:
            batch = self._shuffled(self.waiting[: self.draw.randint(1, 100)])
            done = self._invoke(batch)
            self.done += batch[:done]
            self.waiting[: len(batch)] = batch[done:]
            if self.done and self.draw.random() < 0.1:
                # A record is delivered once more, long after it was processed.
                start = self.draw.randrange(len(self.done))
                self._invoke(self.done[start : start + 50])

    def _shuffled(self, batch: list[stream.Record]) -> list[stream.Record]:
        """Shuffle the records, but keep the order of each item's records. A stream promises only this order."""
        of_item: dict[str, list[stream.Record]] = {}
        for record in batch:
            of_item.setdefault(str(record["dynamodb"]["Keys"]), []).append(record)
        order = [key for key, records in of_item.items() for _ in records]
        self.draw.shuffle(order)
        return [of_item[key].pop(0) for key in order]

    def _invoke(self, batch: list[stream.Record]) -> int:
        """Run the function. Return how many of the records it has processed."""
        from functions import publish_events
        from shared.store import table
        from shared.store.errors import BusyError

        self.invocations += 1
        try:
            with self.faults.in_client(table.client()):
                answer = publish_events.handler(stream.event(batch), None)
        except (KilledError, BusyError):
            return 0
        failures = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        return numbers.index(failures[0]) if failures else len(batch)


@dataclass
class Writer:
    """Creates, modifies and deletes objects at random. It remembers the ids that it can use."""

    client: Client
    draw: random.Random
    patch: pytest.MonkeyPatch
    messages: dict[str, list[str]] = field(default_factory=dict)
    erasing: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def step(self) -> None:
        kinds = {"create": 50, "modify": 22, "delete": 13, "modify_thread": 8, "delete_thread": 1, "erase": 3}
        (kind,) = self.draw.choices([*kinds], [*kinds.values()])
        thread_id = self.draw.choice([*self.messages])
        if kind in ("modify", "delete") and not self.messages[thread_id]:
            kind = "create"
        if kind == "delete_thread" and len(self.messages) < THREADS // 2:
            kind = "create"
        getattr(self, kind)(thread_id)
        self.counts[kind] += 1

    def thread(self) -> None:
        from shared.store import threads

        with self.patch.context() as patch:
            if self.draw.random() < 0.3:
                patch.setattr(threads, "_BYTES_IN_ONE", 0)  # as if they were too large for one transaction
            first = [{"role": "user", "content": self._content()} for _ in range(self.draw.randint(0, 4))]
            thread_id = self.client.thread(messages=first, metadata={"user_id": "u"})
        listed = self.client.page(thread_id)["data"] if first else []
        self.messages[thread_id] = [message["id"] for message in listed]

    def create(self, thread_id: str) -> None:
        metadata = {"n": str(self.draw.random())} if self.draw.random() < 0.5 else None
        message = self.client.message(thread_id, self._content(), metadata=metadata)
        self.messages[thread_id].append(message["id"])

    def modify(self, thread_id: str) -> None:
        message_id = self.draw.choice(self.messages[thread_id])
        metadata = self.draw.choice([None, {"n": str(self.draw.random())}])
        self.client.create("modify_message", thread_id, message_id, body={"metadata": metadata})

    def delete(self, thread_id: str) -> None:
        place = self.draw.randrange(len(self.messages[thread_id]))
        self.client.create("delete_message", thread_id, self.messages[thread_id].pop(place))

    def modify_thread(self, thread_id: str) -> None:
        self.client.create("modify_thread", thread_id, body={"metadata": {"n": str(self.draw.random())}})

    def delete_thread(self, thread_id: str) -> None:
        self.client.create("delete_thread", thread_id)
        del self.messages[thread_id]
        self.erasing.append(thread_id)

    def erase(self, _thread_id: str) -> None:
        from shared.store import erasure, keys, table

        if self.erasing:
            table.set_deadline(60)
            thread_id = self.erasing.pop(self.draw.randrange(len(self.erasing)))
            assert erasure.erase_thread(keys.thread_partition(self.client.project, thread_id), time.monotonic() + 60)

    def _content(self) -> str:
        chance = self.draw.random()
        if chance < 0.003:
            return "\N{GRINNING FACE}" * 256_000  # too large for an event
        if chance < 0.006:
            return "".join(chr(self.draw.randrange(0x4E00, 0x9FFF)) for _ in range(200_000))  # stored in parts
        return f"{self.draw.random()} äöü € \N{GRINNING FACE} \x00"


def test_a_consumer_rebuilds_the_store_from_shuffled_and_doubled_events(
    client: Client, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared import clients

    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    draw = random.Random(seed)
    read = table_stream.in_engine(os.environ["TABLE_NAME"], os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
    assert read
    publisher = Publisher(draw, read, Faults(draw))
    bus = Bus(draw)
    writer = Writer(client, draw, monkeypatch)
    started = time.monotonic()

    with hooked(clients.events(), before_call=bus.put):
        for _ in range(THREADS):
            writer.thread()
        for number in range(OPERATIONS):
            writer.step()
            if number % 50 == 0:
                publisher.follow()
                publisher.run(least=draw.randint(0, 400))
        publisher.follow()
        publisher.run()

    told = bus.taken + draw.sample(bus.taken, len(bus.taken) // 3)
    draw.shuffle(told)
    consumer = Consumer(lambda thread_id, message_id: retrieve(client, thread_id, message_id))
    for kind, detail in told:
        consumer.take(kind, json.loads(detail))

    ids = Counter(json.loads(detail)["event_id"] for _, detail in bus.taken)
    sys.stdout.write(
        f"\n{OPERATIONS} operations {dict(writer.counts)} on {THREADS} threads in {time.monotonic() - started:.0f} s: "
        f"{len(ids)} events, told {len(bus.taken)} times in {publisher.invocations} invocations; {bus.refused} entries "
        f"refused, {bus.killed + publisher.faults.killed} kills, {publisher.faults.throttled} calls throttled\n"
    )
    stored = {thread["id"]: (thread, messages(client, thread["id"])) for thread in threads(client, limit=100)}
    assert consumer.threads() == stored
    assert bus.refused
    assert bus.killed + publisher.faults.killed
    for kind, detail in draw.sample(bus.taken, 200):
        schemas.event(kind, detail)


def retrieve(client: Client, thread_id: str, message_id: str) -> list[Any]:
    content: list[Any] = client.create("retrieve_message", thread_id, message_id)["content"]
    return content


@dataclass
class Inbound:
    """An SQS queue and its function. A message stays until the function reports it as processed."""

    draw: random.Random
    fifo: bool
    faults: Faults
    waiting: list[dict[str, Any]] = field(default_factory=list)
    dead: list[tuple[str, Any]] = field(default_factory=list)
    redelivered: int = 0

    def put(self, command: dict[str, Any]) -> None:
        group = {"MessageGroupId": command["thread_id"]} if self.fifo else {}
        name = f"message-{len(self.waiting)}"
        self.waiting.append(queues.queued(json.dumps(command), name, attributes=group, fifo=self.fifo))

    def run(self) -> None:
        from shared import clients
        from shared.store import table

        with hooked(clients.sqs(), before_call=self.answer), self.faults.in_client(table.client()):
            while self.waiting:
                batch = self.waiting[:10] if self.fifo else self.draw.sample(self.waiting, min(10, len(self.waiting)))
                try:
                    again = queues.run(batch)
                except KilledError:
                    again = [record["messageId"] for record in batch]
                done = {record["messageId"] for record in batch} - {*again}
                if not self.fifo and self.draw.random() < 0.05:
                    done = set()  # delivered once more, although the function succeeded
                self.redelivered += len(batch) - len(done)
                self.waiting = [record for record in self.waiting if record["messageId"] not in done]

    def answer(self, params: dict[str, Any], model: Any, **_: Any) -> Any:
        """Respond to the calls of SQS."""
        asked = json.loads(params["body"])
        if model.name == "SendMessage":
            error = json.loads(asked["MessageAttributes"]["error"]["StringValue"])
            self.dead.append((asked["MessageBody"], error["error"]["code"]))
        return response({"Successful": [], "Failed": [], "MessageId": "1"})


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_commands_give_exactly_the_right_messages_and_dead_letters(client: Client, seed: int, fifo: bool) -> None:
    draw = random.Random(seed)
    wanted: dict[str, list[str]] = {client.thread(): [] for _ in range(5)}
    inbound = Inbound(draw, fifo, Faults(draw, share=0.04))
    poison = []
    sent: list[dict[str, Any]] = []
    for number in range(COMMANDS):
        chance = draw.random()
        thread_id = draw.choice([*wanted])
        if chance < 0.1 and sent:
            command = draw.choice(sent)
        elif chance < 0.11:
            command = queues.command(client, thread_id, f"poison {number}", role="system")
            poison.append(json.dumps(command))
        else:
            command = queues.command(client, thread_id, str(number))
            wanted[thread_id].append(str(number))
            sent.append(command)
        inbound.put(command)
    started = time.monotonic()

    inbound.run()

    sys.stdout.write(
        f"\n{COMMANDS} commands, {len(sent)} different, {len(poison)} poison, in {time.monotonic() - started:.0f} s; "
        f"{inbound.redelivered} delivered again, {inbound.faults.killed} kills, {inbound.faults.throttled} throttled\n"
    )
    made = {thread_id: texts(client, thread_id) for thread_id in wanted}
    if not fifo:
        made = {thread_id: sorted(found, key=int) for thread_id, found in made.items()}
    assert made == wanted
    assert {*inbound.dead} == {(body, "invalid_value") for body in poison}
    assert inbound.faults.killed
