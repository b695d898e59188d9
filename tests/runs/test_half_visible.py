"""Transactions that a Query or a batch shows by half. Engines do not show this, so the tests inject it.

DynamoDB makes the items of a transaction visible one after another. A single or a transactional read shows all of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.promises.threads import incompressible
from tests.support import expected, fault_injection, stored
from tests.support.chat_stub import Chat, calls, says
from tests.support.fault_injection import Attempts, Fault, changed
from tests.support.runs import Runs, calls_of, waiting

_LONG = "Be brief. " + "".join(f"{number:x}" for number in range(3_000))
Item = dict[str, Any]


@contextmanager
def hidden(*kinds: str, calls_hidden: int = 1) -> Iterator[Attempts]:
    """Omit the items with sort keys of these kinds from the first responses of BatchGetItem and Query."""

    def is_shown(item: Item) -> bool:
        return not item["messageId"]["S"].startswith(kinds)

    def hide_in_batch(response: dict[str, Any]) -> None:
        for table, found in response["Responses"].items():
            response["Responses"][table] = [*filter(is_shown, found)]

    def hide_in_query(response: dict[str, Any]) -> None:
        response["Items"] = [*filter(is_shown, response["Items"])]

    with fault_injection.inject(
        Fault("BatchGetItem", changed(hide_in_batch), times=calls_hidden),
        Fault("Query", changed(hide_in_query), times=calls_hidden),
    ) as attempts:
        yield attempts


@contextmanager
def as_before(items: dict[tuple[str, str], Item]) -> Iterator[Attempts]:
    """Let the first response of BatchGetItem and GetItem show these old versions of items."""

    def before(item: Item) -> Item:
        return items.get((item["threadId"]["S"], item["messageId"]["S"]), item)

    def show_in_batch(response: dict[str, Any]) -> None:
        for table, found in response["Responses"].items():
            response["Responses"][table] = [before(item) for item in found]

    def show(response: dict[str, Any]) -> None:
        if response.get("Item", {}).get("messageId", {}).get("S") == "head":
            response["Item"] = before(response["Item"])

    with fault_injection.inject(
        Fault("BatchGetItem", changed(show_in_batch)), Fault("GetItem", changed(show), times=0)
    ) as attempts:
        yield attempts


def head_of(runs: Runs, thread_id: str) -> dict[tuple[str, str], Item]:
    """Return the current head of a thread, by its key."""
    partition = f"{runs.client.project}#{thread_id}"
    return {(partition, "head"): stored.item(partition, "head")}


def shown_by(runs: Runs, operation: str, run: dict[str, Any]) -> dict[str, Any]:
    """Return the only run of a thread, as this operation returns it."""
    if operation == "retrieve_run":
        return runs.read(run)
    (shown,) = runs.create("list_runs", run["thread_id"])["data"]
    return dict(shown)


@pytest.mark.parametrize("operation", ["retrieve_run", "list_runs"])
def test_a_run_that_is_seen_completed_before_its_head_has_its_message_first_in_the_list(
    runs: Runs, chat: Chat, operation: str
) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    before = head_of(runs, run["thread_id"])
    runs.execute(run)

    with as_before(before) as attempts:
        shown = shown_by(runs, operation, run)

    assert shown["status"] == "completed"
    # This read conflicts with the transaction until all of it is visible. So the list after it has the message.
    assert attempts.operations.count("TransactGetItems") == 1


def test_a_message_that_the_list_does_not_show_yet_is_there_once_its_run_is_completed(runs: Runs, chat: Chat) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    runs.execute(run)
    assert runs.read(run)["status"] == "completed"

    with hidden("msg_"):
        newest = runs.client.page(run["thread_id"])["data"][0]

    assert (newest["run_id"], newest["role"]) == (run["id"], "assistant")


def test_a_run_that_a_batch_does_not_show_yet_is_found_by_its_head(runs: Runs, chat: Chat) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    with hidden("run_"):
        assert runs.read(run) == run


def test_a_run_whose_thread_a_batch_does_not_show_yet_is_executed(runs: Runs, chat: Chat) -> None:
    """After create thread and run, the worker may get the run from the stream before the thread's head is visible."""
    body = {"assistant_id": runs.assistant(), "thread": {"messages": [{"role": "user", "content": "Hello"}]}}
    run = runs.create("create_thread_and_run", body=body)

    with hidden("head"):
        runs.execute(run)

    assert runs.read(run)["status"] == "completed"


@pytest.mark.parametrize("kinds", [("part#run_",), ("run_", "part#run_")], ids=["settings", "settings and run"])
@pytest.mark.parametrize("operation", ["retrieve_run", "list_runs"])
def test_settings_that_are_not_visible_yet_are_read_again(
    runs: Runs, chat: Chat, operation: str, kinds: tuple[str, ...]
) -> None:
    run = runs.run(runs.thread(), runs.assistant(), instructions=_LONG)

    with hidden(*kinds, calls_hidden=2):
        assert shown_by(runs, operation, run) == run


def test_steps_of_a_completed_run_that_a_batch_does_not_show_yet_are_read_again(runs: Runs, chat: Chat) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    runs.execute(run)
    steps = runs.steps(run)

    with hidden("step#", calls_hidden=2):
        assert runs.steps(run) == steps
    with hidden("step#", calls_hidden=2):
        assert runs.create("retrieve_run_step", run["thread_id"], run["id"], steps[0]["id"]) == steps[0]


def test_the_calls_that_a_run_waits_for_are_shown_with_it(runs: Runs, chat: Chat) -> None:
    run = waiting(runs, chat)

    with hidden("step#", calls_hidden=2):
        assert runs.read(run) == run
    assert len(calls_of(run)) == 1


def test_outputs_that_a_batch_does_not_show_yet_reach_the_model(runs: Runs, chat: Chat) -> None:
    run = waiting(runs, chat, calls(("call_1", "get_weather", "{}")), says("Sunny."))
    runs.submit(run, {"call_1": "sunny"})

    with hidden("output#", calls_hidden=9):
        runs.execute(run)

    assert chat.asked[1]["messages"][-1] == {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}


def test_the_newest_run_is_listed_though_the_query_does_not_show_it_yet(runs: Runs, chat: Chat) -> None:
    first = runs.execute(runs.run(runs.thread(), runs.assistant()))
    second = runs.run(first["thread_id"], first["assistant_id"])

    for query, listed in (
        ({}, [second, first]),
        ({"order": "asc"}, [first, second]),
        ({"limit": 1}, [second]),
        ({"limit": 1, "order": "asc"}, [first]),
        ({"after": first["id"], "order": "asc"}, [second]),
        ({"before": second["id"]}, []),
        ({"after": second["id"]}, [first]),
    ):
        with hidden(second["id"]):
            assert runs.create("list_runs", first["thread_id"], query=query)["data"] == listed


def test_a_list_of_runs_shows_none_that_begins_behind_one_that_it_does_not_show(runs: Runs, chat: Chat) -> None:
    """Two runs begin while a page is read, and the read shows only the second. A follower would miss the first."""
    first = runs.execute(runs.run(runs.thread(), runs.assistant()))
    thread_id, assistant_id = first["thread_id"], first["assistant_id"]
    made: list[str] = []

    def run_twice() -> None:
        made.extend(runs.execute(runs.run(thread_id, assistant_id))["id"] for _ in range(2))

    def hide(response: dict[str, Any]) -> None:
        response["Items"] = [item for item in response["Items"] if item["messageId"]["S"] != made[0]]

    def query(attempt: fault_injection.Attempt) -> fault_injection.Outcome:
        fault_injection.before(run_twice)(attempt)
        return changed(hide)(attempt)

    with fault_injection.inject(Fault("Query", query)):
        page = runs.create("list_runs", thread_id, query={"order": "asc"})
    following = runs.create("list_runs", thread_id, query={"order": "asc", "after": page["data"][-1]["id"]})

    assert [run["id"] for run in page["data"] + following["data"]] == [first["id"], *made]


def test_assistants_that_a_batch_does_not_show_yet_are_listed(runs: Runs) -> None:
    assistant_ids = [runs.assistant(), runs.assistant(instructions=incompressible(1))]

    with hidden("asst_", "part#asst_", calls_hidden=2):
        listed = runs.create("list_assistants", query={"order": "asc"})["data"]

    assert [assistant["id"] for assistant in listed] == assistant_ids


@pytest.mark.parametrize("kind", ["run_", "part#run_"])
def test_a_run_that_is_erased_while_it_is_read_is_not_shown(runs: Runs, kind: str) -> None:
    run = runs.run(runs.thread(), runs.assistant(), instructions=_LONG)
    stored.remove(f"{runs.client.project}#{run['thread_id']}", kind)

    answer = runs.call("retrieve_run", run["thread_id"], run["id"])

    assert (answer.status, answer.body) == (404, expected.error(f"No run found with id '{run['id']}'."))
    assert runs.create("list_runs", run["thread_id"]) == expected.page([])


@pytest.mark.parametrize("kind", ["step#", "part#step#"])
def test_a_step_that_is_erased_while_it_is_read_is_not_shown(runs: Runs, chat: Chat, kind: str) -> None:
    run = waiting(runs, chat, calls(("call_1", "get_weather", incompressible(1, 250_000))))
    stored.remove(f"{runs.client.project}#{run['thread_id']}", kind)

    assert runs.steps(run) == []
