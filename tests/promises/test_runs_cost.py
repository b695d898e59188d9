"""The cost of an operation of runs: its calls in order, with the units that DynamoDB bills."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.promises import calls
from tests.support import chat_stub
from tests.support.capacity import Call, recorded
from tests.support.chat_stub import Chat, says
from tests.support.client import Client
from tests.support.filled import fill
from tests.support.runs import WEATHER, Runs, work

SIZES = (10, 1_000)
WRITE = "TransactWriteItems"


@pytest.fixture(autouse=True)
def _none_by_chance(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    calls.none_by_chance(runs.client, monkeypatch)


@pytest.fixture
def assistant_id(runs: Runs) -> str:
    return runs.assistant(tools=[WEATHER])


def cost(call: Callable[[], object]) -> list[Call]:
    """Return the calls that an operation makes. Calls at the same time come in any order."""
    with recorded() as made:
        call()
    return made


def test_create_run_takes_two_round_trips(runs: Runs, chat: Chat, assistant_id: str) -> None:
    body = {"assistant_id": assistant_id}
    message = {"role": "user", "content": "hello"}

    assert cost(lambda: runs.create("create_run", runs.thread(), body=body))[-2:] == [
        Call("GetItem", 1, 0),
        Call(WRITE, 0, 4),
    ]
    more = body | {"additional_messages": [message]}
    assert cost(lambda: runs.create("create_run", runs.thread(), body=more))[-1] == Call(WRITE, 0, 6)
    once = {"headers": {"idempotency-key": "key"}}
    assert cost(lambda: runs.create("create_run", runs.thread(), body=body, **once))[-1] == Call(WRITE, 0, 6)
    assert cost(lambda: runs.create("create_thread_and_run", body=body)) == [Call("GetItem", 1, 0), Call(WRITE, 0, 8)]


def test_a_poll_takes_one_round_trip(runs: Runs, chat: Chat, assistant_id: str) -> None:
    run = runs.run(runs.thread(), assistant_id)
    poll = [Call("BatchGetItem", 3, 0)]
    assert cost(lambda: runs.read(run)) == poll
    runs.execute(run)
    assert cost(lambda: runs.read(run)) == poll


def test_an_execution_takes_a_claim_three_reads_and_a_transaction(runs: Runs, chat: Chat, assistant_id: str) -> None:
    run = runs.run(runs.thread(), assistant_id)

    claim, retrieve, *listed, finish = cost(lambda: work(runs.client.project, run))

    assert [claim, retrieve, finish] == [Call("UpdateItem", 0, 1), Call("BatchGetItem", 3, 0), Call(WRITE, 0, 10)]
    assert sorted(listed) == [Call("GetItem", 1, 0), Call("Query", 1, 0)]


def test_a_run_with_a_function_call(runs: Runs, chat: Chat, assistant_id: str) -> None:
    chat.replies = [chat_stub.calls(("call_1", "get_weather", '{"city":"Rome"}')), says("Sunny.")]
    run = runs.run(runs.thread(), assistant_id)

    assert cost(lambda: work(runs.client.project, run))[-1] == Call(WRITE, 0, 6)
    assert cost(lambda: runs.read(run)) == [Call("BatchGetItem", 3, 0), Call("BatchGetItem", 2, 0)]
    assert cost(lambda: runs.submit(run, {"call_1": "sunny"})) == [Call("BatchGetItem", 3, 0), Call(WRITE, 0, 8)]
    second = cost(lambda: work(runs.client.project, run))
    assert second[2:3] + second[-1:] == [Call("BatchGetItem", 2, 0), Call(WRITE, 0, 10)]
    assert cost(lambda: runs.steps(run)) == [Call("BatchGetItem", 3, 0), Call("BatchGetItem", 4, 0)]


def test_cancel_and_modify_read_once_and_write_once(runs: Runs, chat: Chat, assistant_id: str) -> None:
    run = runs.run(runs.thread(), assistant_id)
    ids = (run["thread_id"], run["id"])

    assert cost(lambda: runs.create("cancel_run", *ids)) == [Call("BatchGetItem", 3, 0), Call(WRITE, 0, 4)]
    body = {"metadata": {"a": "b"}}
    assert cost(lambda: runs.create("modify_run", *ids, body=body)) == [
        Call("BatchGetItem", 3, 0),
        Call("UpdateItem", 0, 1),
    ]


def test_a_list_of_twenty_runs_reads_the_head_and_queries_once(runs: Runs, chat: Chat, assistant_id: str) -> None:
    thread_id = runs.thread()
    for _ in range(25):
        run = runs.run(thread_id, assistant_id)
        runs.create("cancel_run", thread_id, run["id"])

    head, query = cost(lambda: runs.create("list_runs", thread_id))

    assert head == Call("GetItem", 1, 0)
    assert query.operation == "Query"
    assert query.read_units <= 5  # the units depend on the length of the project's name


def test_assistants_cost_a_read_or_a_transaction(runs: Runs, assistant_id: str) -> None:
    body = {"model": "gpt-4o", "instructions": "Be brief."}
    assert cost(lambda: runs.create("create_assistant", body=body)) == [Call(WRITE, 0, 4)]
    assert cost(lambda: runs.create("retrieve_assistant", assistant_id)) == [Call("GetItem", 1, 0)]
    assert cost(lambda: runs.create("list_assistants")) == [Call("Query", 1, 0), Call("BatchGetItem", 2, 0)]
    modify = cost(lambda: runs.create("modify_assistant", assistant_id, body={"name": "a"}))
    assert modify == [Call("GetItem", 1, 0), Call(WRITE, 0, 2)]
    assert cost(lambda: runs.create("delete_assistant", assistant_id)) == [Call("GetItem", 1, 0), Call(WRITE, 0, 4)]


def test_a_run_costs_the_same_however_long_its_thread_is_and_whatever_the_model_is_not_given(
    chat: Chat,
) -> None:
    """If the run limits the messages for the model, the worker reads no more of the thread than these."""
    owner = Runs(Client(trusted=True))
    assistant_id = owner.assistant()
    body: dict[str, Any] = {"truncation_strategy": {"type": "last_messages", "last_messages": 5}}
    made = []
    for size in SIZES:
        thread_id = fill(owner.client, size).id
        run = owner.run(thread_id, assistant_id, **body)
        made.append(
            [
                *cost(partial(owner.create, "list_runs", thread_id)),
                *cost(partial(work, owner.client.project, run)),
                *cost(partial(owner.read, run)),
            ]
        )
    # A list makes its first two calls at the same time.
    assert sorted(call.operation for call in made[0]) == sorted(call.operation for call in made[1])
    assert sum(call.write_units for call in made[0]) == sum(call.write_units for call in made[1])
