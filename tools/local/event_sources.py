"""Runs the functions that have no routes: on changes of the table, on messages of queues, and once a day."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from tools.local import aws_calls, filters, waiting_runs
from tools.local.backlog import Backlog
from tools.local.dynamodb.table_stream import Read
from tools.local.event_bus import Subscribers
from tools.local.lambda_runtime import Record, Runner, say
from tools.local.sqs import Message, Queues
from tools.local.template import STACK, Stream, Template

# A function's subscription to the stream, and the records that wait for the function.
_Subscription = tuple[Stream, Backlog[Record]]

_COMMANDS = f"{STACK}-Commands"
_RUNS = f"{STACK}-RunQueue"
_SWEEP = "SweepThreads"
_DAY = 86_400.0
_SECONDS_BETWEEN_READS = 0.2
_SECONDS_WITHOUT_ENGINE = 5.0
_SECONDS_TO_END = 15.0
_SECONDS_TO_END_WITHOUT_DATA = 1.0
_SECONDS_IN_SILENCE = 1.0
_SECONDS_BETWEEN_LOOKS = 0.1
_TRIES = 5


@dataclass(frozen=True)
class EventSide:
    """Takes commands and publishes events."""

    queues: Queues
    subscribers: Subscribers
    has_stream: bool
    hurry: threading.Event = field(default_factory=threading.Event)

    def command(self, body: str) -> Message:
        """Put a command into its queue."""
        return self.queues.send(_COMMANDS, body)

    def end_runs(self) -> None:
        """Let no worker take a further run. The runs that wait stay queued in the table."""
        if _RUNS in self.queues.backlogs:
            self.queues.backlogs[_RUNS].close(drop=True)


@contextmanager
def running(
    template: Template, read: Read | None, *, persistent: bool, has_waiting_runs: bool = False
) -> Iterator[EventSide]:
    """Run threads for the stream, for each function that reads it, and for each queue; end them afterwards.

    `read` returns the changes since the last call. It is None if the table has no stream. At the end of the context,
    records and messages may still wait. If the table is `persistent`, they are processed first, except for runs.
    Otherwise they are dropped, and work in progress gets little time to end. With `has_waiting_runs`, the runs that
    wait in the table are queued again.

    Enter the context before the functions are imported.
    """
    queues, subscribers = Queues(queue for function in template.functions for queue in function.queues), Subscribers()
    operations = {
        "eventbridge.PutEvents": subscribers.put_events,
        "sqs.ChangeMessageVisibility": queues.change_message_visibility,
        "sqs.ChangeMessageVisibilityBatch": queues.change_message_visibility_batch,
        "sqs.SendMessage": queues.send_message,
        "sqs.SendMessageBatch": queues.send_message_batch,
    }
    side = EventSide(queues, subscribers, has_stream=read is not None)
    seconds_to_end = _SECONDS_TO_END if persistent else _SECONDS_TO_END_WITHOUT_DATA
    run_threads = partial(_threads, seconds_to_end=seconds_to_end, hurry=side.hurry)
    with aws_calls.intercepted(operations), ExitStack() as threads:
        # The threads end in reverse order: the stream, then the functions that read it, then the queues that they fill.
        for function in template.functions:
            runner = Runner(function)
            for queue in function.queues:
                serve = partial(queues.serve, queue, runner)
                close = partial(queues.backlogs[queue.name].close, drop=not persistent)
                threads.enter_context(run_threads(queue.name, serve, close, queue.concurrency))
        ended = threading.Event()
        if has_waiting_runs and _RUNS in queues.backlogs:
            queue_again = partial(waiting_runs.queue_again, ended)
            threads.enter_context(run_threads("waiting runs", queue_again, ended.set))
        if read:
            subscriptions: list[_Subscription] = []
            for function in template.functions:
                runner = Runner(function)
                for stream in function.streams:
                    backlog: Backlog[Record] = Backlog()
                    subscriptions.append((stream, backlog))
                    feed = partial(_feed, stream, backlog, runner)
                    threads.enter_context(run_threads(function.name, feed, partial(backlog.close, drop=not persistent)))
            follow = partial(_follow, read, subscriptions, ended, to_its_end=persistent)
            threads.enter_context(run_threads("stream", follow, ended.set))
            threads.enter_context(run_threads("sweep", partial(_sweep, template, ended), ended.set))
        try:
            yield side
        finally:
            side.end_runs()


@contextmanager
def _threads(
    name: str,
    work: Callable[[], None],
    end: Callable[[], None],
    count: int = 1,
    *,
    seconds_to_end: float,
    hurry: threading.Event,
) -> Iterator[None]:
    """Run threads. Afterwards call `end`, which makes them end, and wait for that at most `seconds_to_end`.

    If that takes long, tell the user. `hurry` ends the wait.
    """
    # Daemon threads, because a thread that does not end in time must not keep the process alive.
    threads = [threading.Thread(target=work, name=name, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end()
        left = _left(threads, min(_SECONDS_IN_SILENCE, seconds_to_end), hurry)
        if left and seconds_to_end > _SECONDS_IN_SILENCE and not hurry.is_set():
            what = f"{left} {'run' if name == _RUNS else 'job'}{'s' * (left > 1)}"
            say(f"waiting up to {seconds_to_end:.0f} s for {what} to end; press Ctrl-C again to end now")
            _left(threads, seconds_to_end - _SECONDS_IN_SILENCE, hurry)


def _left(threads: list[threading.Thread], seconds: float, hurry: threading.Event) -> int:
    """Wait until the threads have ended, at most these seconds or until `hurry`. Return how many have not ended."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        while thread.is_alive() and time.monotonic() < deadline and not hurry.is_set():
            thread.join(_SECONDS_BETWEEN_LOOKS)
    return sum(thread.is_alive() for thread in threads)


def _follow(read: Read, subscriptions: list[_Subscription], ended: threading.Event, *, to_its_end: bool) -> None:
    """Read the stream until `ended` is set. With `to_its_end`, then read the records that are left."""
    pause = 0.0
    while not ended.wait(pause):
        pause = 0.0 if _distribute(read, subscriptions) else _SECONDS_BETWEEN_READS
    while to_its_end and _distribute(read, subscriptions):
        pass


def _distribute(read: Read, subscriptions: list[_Subscription]) -> bool:
    """Read the stream once and put each record into the backlogs whose filters it passes.

    Return whether there were records.
    """
    try:
        records = read()
    except (BotoCoreError, ClientError) as error:
        say(f"the table's stream cannot be read: {type(error).__name__}")
        time.sleep(_SECONDS_WITHOUT_ENGINE)
        return False
    for stream, backlog in subscriptions:
        for record in records:
            if filters.passes(stream.patterns, record):
                backlog.put(record)
    return bool(records)


def _feed(stream: Stream, backlog: Backlog[Record], runner: Runner) -> None:
    """Run a function on the records in order. Records that fail delay the rest, until they are given up."""
    while records := backlog.take(stream.batch):
        for attempt in range(_TRIES):
            failed = runner.run(records, [record["dynamodb"]["SequenceNumber"] for record in records])
            records = records[failed[0] :] if failed else []
            if not records or backlog.closed:
                break
            time.sleep(0.2 * 2**attempt)
        if records:
            say(f"{runner.name} gave up {len(records)} records of the stream")


def _sweep(template: Template, ended: threading.Event) -> None:
    """Run the daily function at once and then every day."""
    runner = Runner(next(function for function in template.functions if function.name == _SWEEP))
    while True:
        runner.run([], [])
        if ended.wait(_DAY):
            break
