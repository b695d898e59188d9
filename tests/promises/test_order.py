"""Messages have one order, the order of their commits. A reader that follows it sees each message once."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from tests.promises.threads import check_ends, messages
from tests.support import fault_injection, processes
from tests.support.chat_stub import Chat
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.fault_injection import Fault
from tests.support.processes import Created
from tests.support.runs import Runs


def check_order(found: list[dict[str, Any]], created: list[Created]) -> None:
    """Assert that each message exists once, that times never go back, and that creates keep their order.

    A create that was acknowledged comes before a create that began later.
    """
    ids = [message["id"] for message in found]
    assert ids == sorted({made.id for made in created})
    assert len(ids) == len(created)
    times = [message["created_at"] for message in found]
    assert times == sorted(times)
    check_ends((made.began, made.ended) for made in sorted(created))
    assert {made.id: made.created_at for made in created} == dict(zip(ids, times, strict=True))


def test_sixteen_writers_in_processes_whose_clocks_differ_by_seconds_have_one_order(client: Client) -> None:
    thread_id = client.thread()
    created = processes.together([-5.0, 5.0], processes.create_messages, client.secret, thread_id, 8, 5)
    assert len(created) == 80
    check_order(messages(client, thread_id), created)


def test_writers_and_runs_that_come_and_go_have_one_order(runs: Runs, chat: Chat) -> None:
    """Trusted writers write at once, in processes whose clocks differ, while runs begin and are answered."""
    writer = Client(runs.client.project, trusted=True)
    thread_id, assistant_id = runs.client.thread(), runs.assistant()
    with ThreadPoolExecutor(1) as pool:
        create = partial(processes.create_messages, threads=4, each=5)
        writing = pool.submit(processes.together, [-5.0, 5.0], create, writer.secret, thread_id)
        made: list[dict[str, Any]] = []
        while not writing.done() or not made:
            made.append(runs.execute(runs.run(thread_id, assistant_id)))
    found = messages(writer, thread_id)
    answers = [message for message in found if message["run_id"]]
    assert [run["status"] for run in made] == ["completed"] * len(made)
    assert [message["run_id"] for message in answers] == [run["id"] for run in made]
    check_order([message for message in found if not message["run_id"]], writing.result())
    assert [one["id"] for one in found] == sorted(one["id"] for one in found)
    assert [one["created_at"] for one in found] == sorted(one["created_at"] for one in found)


def test_a_clock_that_goes_back_does_not_take_the_order_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    thread_id = client.thread()
    clock = Clock(monkeypatch)
    created = []
    for seconds in (5, -10, 0, 0, 3, -3, 7):
        clock.forward(seconds)
        created.append(client.message(thread_id))
    assert messages(client, thread_id) == created
    assert all(one["created_at"] <= other["created_at"] for one, other in pairwise(created))


def test_messages_of_one_millisecond_have_an_order(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    thread_id = client.thread()
    Clock(monkeypatch)  # this clock stands still
    created = [client.message(thread_id) for _ in range(30)]
    assert [message["id"] for message in created] == sorted(message["id"] for message in created)
    assert len({message["created_at"] for message in created}) == 1
    assert messages(client, thread_id) == created


def test_a_page_shows_what_was_there_when_all_that_its_query_finds_is_newer_than_the_head_it_read(
    client: Client,
) -> None:
    thread_id = client.thread()
    message = client.message(thread_id)
    head_is_read = threading.Event()

    def create_more() -> None:
        assert head_is_read.wait(10)
        for _ in range(3):
            client.message(thread_id)

    with fault_injection.inject(
        Fault("GetItem", fault_injection.after(head_is_read.set)), Fault("Query", fault_injection.before(create_more))
    ) as attempts:
        page = client.page(thread_id, limit=1)
    assert page["data"] == [message]
    assert attempts.operations.count("Query") == 2


@pytest.mark.parametrize("run", range(12))
def test_a_follower_sees_every_acknowledged_message_once_while_eight_writers_write(
    client: Client, seed: int, run: int
) -> None:
    draw = random.Random(seed + run)
    thread_id = client.thread()
    pauses = [[draw.uniform(0, 0.02) for _ in range(4)] for _ in range(8)]
    acknowledged: list[str] = []
    writing = threading.Semaphore(0)

    def write(own: list[float]) -> None:
        for pause in own:
            time.sleep(pause)
            acknowledged.append(client.message(thread_id)["id"])
        writing.release()

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, own) for own in pauses]
        read: list[str] = []
        while True:
            ended = all(writer.done() for writer in writers)
            after = {"after": read[-1]} if read else {}
            page = client.page(thread_id, order="asc", limit=draw.randint(1, 5), **after)
            read += [message["id"] for message in page["data"]]
            if ended and not page["data"]:
                break
    for writer in writers:
        writer.result()
    assert read == sorted(acknowledged)
