"""A thread without a write for the retention time is a 404 for every call. It is erased like a deleted thread."""

import pytest

from tests.promises import calls
from tests.promises.threads import age, assert_gone, full, listed, remains
from tests.support import capacity, event_sources
from tests.support.client import Answer, Client
from tests.support.event_sources import Erasures
from tests.support.variables import VARIABLES

DAY = 86_400


@pytest.fixture(autouse=True)
def _thirty_days(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_for(monkeypatch, 30)


def keep_for(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """Set the RetentionDays of a deployment."""
    monkeypatch.setitem(VARIABLES, "RETENTION_DAYS", str(days))


def test_every_call_treats_an_expired_thread_as_gone(trusted: Client) -> None:
    thread_id = full(trusted, "small")
    message_id = trusted.page(thread_id)["data"][0]["id"]
    age(trusted, thread_id, 30 * DAY)
    assert_gone(trusted, thread_id, message_id)


def test_a_create_extends_the_time_and_nothing_else_does(client: Client) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    age(client, thread_id, 30 * DAY - 60)
    client.create("modify_message", thread_id, message_id, body={"metadata": {"a": "b"}})
    client.create("modify_thread", thread_id, body={"metadata": {"a": "b"}})
    client.create("delete_message", thread_id, message_id)
    client.page(thread_id)
    assert 30 * DAY - 60 <= _idle(client, thread_id) < 30 * DAY - 30
    client.message(thread_id)
    assert _idle(client, thread_id) < 30


def test_extending_the_time_costs_no_write(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    thread_id = client.thread()
    costs = []
    for days in (0, 30):
        keep_for(monkeypatch, days)
        with capacity.recorded() as made:
            client.message(thread_id)
        costs.append(made)
    assert costs[0] == costs[1] == [capacity.Call("TransactWriteItems", 0, 4)]


def test_another_retention_applies_at_once_to_all_threads(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = client.thread(), client.thread()
    age(client, old, 10 * DAY)
    for days, shown in ((30, [new, old]), (7, [new]), (11, [new, old]), (0, [new, old])):
        keep_for(monkeypatch, days)
        assert listed(client) == shown
        assert client.call("retrieve_thread", old).status == (200 if old in shown else 404)


def test_without_retention_nothing_expires(client: Client, erasures: Erasures, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_for(monkeypatch, 0)
    thread_id = client.thread()
    age(client, thread_id, 20_000 * DAY)
    event_sources.sweep_project(client)
    erasures.run()
    assert listed(client) == [thread_id]


@pytest.mark.parametrize("done", [False, True], ids=["before the call", "after the call"])
def test_the_sweep_may_be_killed_at_every_step(trusted: Client, erasures: Erasures, done: bool) -> None:
    for step in range(100):
        expired, forgotten = full(trusted, "small"), full(trusted, "small")
        age(trusted, expired, 30 * DAY)
        trusted.create("delete_thread", forgotten)
        erasures.records()  # the deletion's record is lost
        age(trusted, forgotten, 3_601)
        was_killed = calls.killed(step, lambda: event_sources.sweep_project(trusted), done=done)
        event_sources.sweep_project(trusted)
        erasures.run()
        erasures.erase()
        assert remains(trusted, expired) == remains(trusted, forgotten) == []
        if not was_killed:
            break
    assert step > 5


def test_a_thread_that_comes_to_life_while_it_is_swept_is_kept(
    client: Client, erasures: Erasures, monkeypatch: pytest.MonkeyPatch
) -> None:
    def revive() -> None:
        keep_for(monkeypatch, 0)
        answers.append(client.call("create_message", thread_id, body={"role": "user", "content": "still here"}))

    outcomes = []
    for step in range(100):
        keep_for(monkeypatch, 30)
        answers: list[Answer] = []
        thread_id = client.thread()
        age(client, thread_id, 30 * DAY)
        with calls.at(step, revive):
            event_sources.sweep_project(client)
        if not answers:
            break
        erasures.run()
        outcomes.append((answers[0].status, client.call("list_messages", thread_id).status))
    # The first of the two wins. The message is kept or refused, never accepted and then erased.
    assert set(outcomes) == {(200, 200), (404, 404)}


def test_a_walk_that_ran_out_of_time_is_continued_by_the_next(client: Client, erasures: Erasures) -> None:
    threads = [client.thread() for _ in range(110)]
    for thread_id in threads:
        age(client, thread_id, 30 * DAY)
    event_sources.sweep_project(client, seconds=-1)
    assert _buried(client, erasures) == 100
    event_sources.sweep(59)  # again too little time for a second list
    assert _buried(client, erasures) == 10


def _buried(client: Client, erasures: Erasures) -> int:
    keys = [record["dynamodb"]["Keys"]["threadId"]["S"] for record in erasures.records()]
    return sum(key.startswith(f"{client.project}#") for key in keys)


def _idle(client: Client, thread_id: str) -> int:
    from shared.store import head, keys, table

    table.set_deadline(60)
    found = table.get(keys.key(keys.thread_partition(client.project, thread_id), keys.HEAD))
    assert found
    return head.idle_seconds(found)
