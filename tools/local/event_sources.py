"""What runs beside the API: changes of the table, and messages of queues, reach the functions that take them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.local import aws_calls, filters
from tools.local.backlog import Backlog
from tools.local.dynamodb.table_stream import Read
from tools.local.event_bus import Subscribers
from tools.local.lambda_runtime import Record, Runner, say
from tools.local.sqs import Message, Queues
from tools.local.template import STACK, Stream, Template

# Who reads the stream, and what waits for its function.
_Fed = tuple[Stream, Backlog[Record]]

_COMMANDS = f"{STACK}-Commands"
_SWEEP = "SweepThreads"
_DAY = 86_400.0
_SECONDS_BETWEEN_READS = 0.2
_SECONDS_WITHOUT_ENGINE = 5.0
_SECONDS_TO_END = 15.0
_TRIES = 5


@dataclass(frozen=True)
class Surroundings:
    """`read` returns the changes since it was called last, None where the table has no stream.

    `turn` is entered for whatever uses the table. `keeps`: the data outlive the process, so that what waits is done
    before it ends; without it requests come one at a time, and no delay of a queue's is needed.
    """

    read: Read | None
    turn: AbstractContextManager[Any]
    keeps: bool


@dataclass(frozen=True)
class EventSide:
    """Where commands go in and events come out."""

    queues: Queues
    subscribers: Subscribers
    has_stream: bool

    def command(self, body: str) -> Message:
        """Put a command into its queue."""
        return self.queues.put(_COMMANDS, body)


@contextmanager
def running(template: Template, around: Surroundings) -> Iterator[EventSide]:
    """Run a thread for the stream and one for each function that reads it or a queue; none is left afterwards.

    Enter it before the functions are imported.
    """
    described = [queue for function in template.functions for queue in function.queues]
    queues, subscribers = Queues(described, delays=around.keeps), Subscribers()
    operations = {
        "eventbridge.PutEvents": subscribers.put_events,
        "sqs.ChangeMessageVisibilityBatch": queues.change_message_visibility_batch,
        "sqs.SendMessage": queues.send_message,
        "sqs.SendMessageBatch": queues.send_message_batch,
    }
    with aws_calls.answered(operations), ExitStack() as threads:
        fed: list[_Fed] = []
        # They end in the opposite order: the stream first, then who is fed by it, then the queues that these fill.
        for function in template.functions:
            for queue in function.queues:
                serve = partial(queues.serve, queue, Runner(function, around.turn))
                close = partial(queues.backlogs[queue.name].close, drop=not around.keeps)
                threads.enter_context(_thread(queue.name, serve, close))
        if around.read:
            for function in template.functions:
                for stream in function.streams:
                    fed.append((stream, Backlog()))
                    feed = partial(_feed, stream, fed[-1][1], Runner(function, around.turn))
                    threads.enter_context(
                        _thread(function.name, feed, partial(fed[-1][1].close, drop=not around.keeps))
                    )
            ended = threading.Event()
            threads.enter_context(_thread("stream", partial(_read_on, around, around.read, fed, ended), ended.set))
            threads.enter_context(_thread("sweep", partial(_sweep, template, around, ended), ended.set))
        yield EventSide(queues, subscribers, has_stream=around.read is not None)


@contextmanager
def _thread(name: str, work: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    # A daemon: one that does not end in time must not keep the process.
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end()
        thread.join(_SECONDS_TO_END)


def _read_on(around: Surroundings, read: Read, fed: list[_Fed], ended: threading.Event) -> None:
    pause = 0.0
    while not ended.wait(pause):
        pause = 0.0 if _read(around, read, fed) else _SECONDS_BETWEEN_READS
    while around.keeps and _read(around, read, fed):
        pass


def _read(around: Surroundings, read: Read, fed: list[_Fed]) -> bool:
    """Read the stream once; tell whether there was something in it."""
    try:
        with around.turn:
            records = read()
    except (BotoCoreError, ClientError) as error:
        say(f"the table's stream cannot be read: {type(error).__name__}")
        time.sleep(_SECONDS_WITHOUT_ENGINE)
        return False
    for stream, backlog in fed:
        for record in records:
            if filters.passes(stream.patterns, record):
                backlog.put(record)
    return bool(records)


def _feed(stream: Stream, backlog: Backlog[Record], runner: Runner) -> None:
    """Hand a function the records in order: those that fail hold up the rest, and are given up after a while."""
    while records := backlog.take(stream.batch):
        for attempt in range(_TRIES):
            failed = runner.run(records, [record["dynamodb"]["SequenceNumber"] for record in records])
            records = records[failed[0] :] if failed else []
            if not records or backlog.closed:
                break
            time.sleep(0.2 * 2**attempt)
        if records:
            say(f"{runner.name} gave up {len(records)} records of the stream")


def _sweep(template: Template, around: Surroundings, ended: threading.Event) -> None:
    """Run what the template runs once a day, at once and then every day."""
    runner = Runner(next(function for function in template.functions if function.name == _SWEEP), around.turn)
    while True:
        runner.run([], [])
        if ended.wait(_DAY):
            break
