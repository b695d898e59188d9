"""Sweep threads: it queues the erasure of forgotten, abandoned and expired threads."""

import pytest

from tests.support import expected, fault_injection, stored
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.event_sources import Queue, asked, sweep
from tests.support.variables import VARIABLES

_HOUR = 3_600


def test_the_sweep_queues_forgotten_tombstones(client: Client, queue: Queue, clock: Clock) -> None:
    for _ in range(2):
        client.thread()
    forgotten = f"{client.project}#{client.thread()}"
    client.create("delete_thread", forgotten.partition("#")[2])

    sweep()
    assert queue.taken() == []
    clock.forward(_HOUR + 1)
    sweep()

    assert queue.taken() == [asked(forgotten)]


def test_a_thread_of_a_later_version_does_not_stop_the_sweep(client: Client, queue: Queue, clock: Clock) -> None:
    newer, older = client.thread(), client.thread()
    for thread_id in (newer, older):
        client.create("delete_thread", thread_id)
    stored.change(f"{client.project}#{newer}", "head", v={"N": "2"})
    clock.forward(3_601)

    sweep()

    assert [found for found in queue.taken() if client.project in found["partition"]] == [
        asked(f"{client.project}#{older}")
    ]


def test_the_sweep_closes_threads_past_their_retention(
    client: Client, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users get a 404 from the second of expiry on. The erasure begins after the next sweep."""
    monkeypatch.setitem(VARIABLES, "RETENTION_DAYS", "1")
    idle, active = client.thread(), client.thread()
    clock.forward(86_399)
    client.message(active)
    assert client.call("retrieve_thread", idle).status == 200
    clock.forward(1)

    for function in ("retrieve_thread", "modify_thread", "delete_thread", "create_message", "list_messages"):
        body = expected.ROLE_USER if function == "create_message" else {}
        assert client.call(function, idle, body=body).body == expected.no_thread(idle)
    assert [thread["id"] for thread in client.create("list_threads")["data"]] == [active]
    sweep()

    states = [stored.item(f"{client.project}#{thread_id}", "head")["state"]["S"] for thread_id in (idle, active)]
    assert states == ["erasing", "open"]


def test_the_sweep_leaves_a_thread_that_came_to_life(
    client: Client, queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setitem(VARIABLES, "RETENTION_DAYS", "1")
    partition = f"{client.project}#{client.thread()}"
    clock.forward(90_000)
    write = fault_injection.before(lambda: stored.change(partition, "head", activeAt={"N": str(2**40)}))

    with fault_injection.inject(fault_injection.Fault("UpdateItem", write)):
        sweep()

    assert stored.item(partition, "head")["state"] == {"S": "open"}


def test_a_sweep_without_time_is_continued_within_the_hour_but_none_is_begun(
    client: Client, queue: Queue, clock: Clock
) -> None:
    """A sweep without time reads one list of threads. After the last list the walk ends."""
    clients = [client, Client()]
    first, second = sorted(f"{one.project}#{one.thread()}" for one in clients)
    for one in clients:
        one.create("delete_thread", one.create("list_threads")["last_id"])
    clock.forward(_HOUR + 1)

    runs: list[list[str]] = []
    for schedule in ("Hourly", "Daily", "Hourly", "Hourly", "Hourly", "Daily", "Daily"):
        sweep(seconds=59, schedule=schedule)
        runs.append([taken["partition"] for taken in queue.taken()])

    assert runs == [[], [first], [second], [], [], [first], [second]]
