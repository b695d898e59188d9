"""Every fault at every call of an event function: work that it reports as done is done, all other work comes again.

FAULTS_SHARE is the share of the trials that are made. PROMISES_SEED selects them. 1 makes all trials.
"""

import json
import os
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.promises.threads import incompressible
from tests.support import event_sources as queues
from tests.support import expected, fault_injection, memory, stored, stream
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.event_sources import Queue as ErasureQueue
from tests.support.event_sources import asked, change, queue_changes, sweep
from tests.support.fault_injection import Attempts, Fault

SHARE = float(os.environ.get("FAULTS_SHARE") or 0.1)
SEED = int(os.environ.get("PROMISES_SEED") or random.randrange(1_000_000))
LARGE = incompressible(seed=1, length=110_000)
_DETAIL_TYPES = {"thread.created", "thread.message.created", "thread.message.deleted"}


class Work(NamedTuple):
    """The work of a function. `run` returns whether the function reported it as done. `check` asserts that it is."""

    run: Callable[[], bool]
    check: Callable[[], None]


def _ingest(_sent: Attempts) -> Work:
    queues.clear()
    client = Client()
    thread_id = client.thread()
    queues.put(queues.command(client, thread_id))
    queues.put(queues.command(client, thread_id, role="nobody", command_id="bad"))
    left = queues.take()

    def run() -> bool:
        again = queues.run(left)
        left[:] = [record for record in left if record["messageId"] in again]
        return not again

    def check() -> None:
        assert [message["content"] for message in client.page(thread_id)["data"]] == [[expected.text("hello")]]
        # At least once, as with all queues.
        assert {json.loads(body)["command_id"] for body, _ in queues.rejected()} == {"bad"}

    return Work(run, check)


def _erase(_sent: Attempts) -> Work:
    client, queue = Client(trusted=True), ErasureQueue()
    kept = client.thread(metadata={"user_id": "u"}, messages=[expected.ROLE_USER])
    thread_id = client.thread(metadata={"user_id": "u"}, messages=[expected.ROLE_USER])
    client.message(thread_id, LARGE, role="assistant", run_id="run_1")
    client.create("delete_thread", thread_id)
    partition = f"{client.project}#{thread_id}"
    before = stored.sort_keys(f"{client.project}#{kept}")
    queued = [asked(partition)]

    def run() -> bool:
        from functions import erase_thread

        records = {"Records": [{"body": json.dumps(erasure)} for erasure in queued]}
        erase_thread.handler(records, SimpleNamespace(get_remaining_time_in_millis=lambda: 120_000))
        queued[:] = queue.taken()
        return not queued

    def check() -> None:
        assert stored.sort_keys(partition) == []
        assert stored.sort_keys(f"{client.project}#threads") == [kept.removeprefix("thread_")]
        assert stored.sort_keys(f"{client.project}#{kept}") == before

    return Work(run, check)


def _queue(_sent: Attempts) -> Work:
    queue = ErasureQueue()
    queue.taken()

    def run() -> bool:
        queue_changes(*(change(f"a#thread_{number}", "head") for number in range(12)))
        return True

    def check() -> None:
        assert {taken["partition"] for taken in queue.taken()} == {f"a#thread_{number}" for number in range(12)}

    return Work(run, check)


def _publish(sent: Attempts) -> Work:
    client = Client()
    with stream.changes() as records:
        thread_id = client.thread(messages=[expected.ROLE_USER])
        client.message(thread_id, LARGE)
    with stream.changes() as further:
        client.create("delete_message", thread_id, client.page(thread_id, order="asc")["data"][0]["id"])
    left = stream.event(records + further)["Records"]
    asked_for = len(left)

    def run() -> bool:
        from functions import publish_events

        answer = publish_events.handler({"Records": left}, None)
        names = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        places = [place for place, record in enumerate(left) if record["dynamodb"]["SequenceNumber"] in names]
        left[:] = left[min(places, default=len(left)) :]
        return not left

    def check() -> None:
        entries = [entry for _, request in sent.log for entry in request["Entries"]]
        details = [json.loads(entry["Detail"]) for entry in entries]
        # Outside of its detail, an event has no data of a client.
        assert {entry.pop("DetailType") for entry in entries} <= _DETAIL_TYPES
        assert all(entry.pop("Detail") for entry in entries)
        bus = {"Source": "message-api", "EventBusName": os.environ["EVENT_BUS_NAME"]}
        assert all(entry == bus for entry in entries)
        assert len({detail["event_id"] for detail in details}) == asked_for

    return Work(run, check)


def _sweep(_sent: Attempts) -> Work:
    client, queue = Client(), ErasureQueue()
    queue.taken()
    thread_id = client.thread()
    client.create("delete_thread", thread_id)
    partition = f"{client.project}#{thread_id}"
    stored.change(partition, "head", activeAt={"N": "1"})
    found: list[dict[str, str]] = []

    def run() -> bool:
        sweep()
        return True

    def check() -> None:
        found.extend(queue.taken())
        assert asked(partition) in found

    return Work(run, check)


WORKS = {
    "ingest_message": (_ingest, "inbound"),
    "erase_thread": (_erase, "erasure_queue"),
    "queue_jobs": (_queue, "erasure_queue"),
    "publish_events": (_publish, "event_bus"),
    "sweep_threads": (_sweep, "erasure_queue"),
}


@pytest.fixture(autouse=True)
def _no_pauses(clock: Clock) -> None:
    """Let pauses take no time."""


def _client(name: str) -> Any:
    from shared import clients
    from shared.store import table

    return {"table": table.client, "event_bus": clients.events}.get(name, clients.sqs)()


def _calls(make: Callable[[Attempts], Work], client: Any) -> list[str]:
    """Return the calls that a function makes with a client when no fault is injected."""
    with memory.as_it_was(), fault_injection.inject(client=_client("event_bus")) as sent:
        work = make(sent)
        with fault_injection.inject(client=client) as attempts:
            assert work.run()
        work.check()
    return attempts.operations


@pytest.mark.parametrize("by", ["table", "other"])
@pytest.mark.parametrize("function", WORKS)
def test_what_a_function_calls_done_is_done_and_all_else_comes_again(function: str, by: str) -> None:
    make, other = WORKS[function]
    client = _client("table" if by == "table" else other)
    draw = random.Random(f"{SEED}-{function}-{by}")
    for at, operation in enumerate(_calls(make, client), 1):
        for effect in fault_injection.effects(operation):
            for times in (1, 0):
                if draw.random() < SHARE:
                    # The entries that reach the bus are recorded below all faults.
                    with memory.as_it_was(), fault_injection.inject(client=_client("event_bus")) as sent:
                        _try(make(sent), Fault("", effect, at, times), client)


def _try(work: Work, fault: Fault, client: Any) -> None:
    trial = f"seed {SEED}: {fault.effect.__name__} at call {fault.at}, {'once' if fault.times else 'without end'}"
    with fault_injection.inject(fault, client=client):
        done = _said(work)
    for _ in range(3):
        if done:
            break
        done = _said(work)
    assert done, trial
    try:
        work.check()
    except AssertionError as wrong:
        raise AssertionError(trial) from wrong


def _said(work: Work) -> bool:
    """Return whether the function reported its work as done. If it raises, all work is delivered again."""
    from shared.store.errors import BusyError

    try:
        return work.run()
    except (BotoCoreError, ClientError, BusyError):
        return False
