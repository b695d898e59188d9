"""A key of another project can neither read nor run anything: each operation responds as if nothing existed."""

from typing import Any

import pytest

from tests.support import fault_injection
from tests.support.chat_stub import Chat, calls
from tests.support.client import Client
from tests.support.runs import ASSISTANT, WEATHER, Runs

_NOBODY = "thread_01M8FVCSFY3E6WVKRT3HDYJXNT"
_OUTPUTS = {"tool_outputs": [{"tool_call_id": "call_1", "output": "stolen"}]}
OF_A_THREAD: dict[str, Any] = {
    "list_runs": None,
    "retrieve_run": None,
    "modify_run": {"metadata": {"a": "b"}},
    "cancel_run": None,
    "submit_tool_outputs": _OUTPUTS,
    "list_run_steps": None,
    "retrieve_run_step": None,
}
OF_AN_ASSISTANT: dict[str, Any] = {
    "retrieve_assistant": None,
    "modify_assistant": {"name": "stolen"},
    "delete_assistant": None,
}


@pytest.fixture
def waiting(runs: Runs, chat: Chat) -> dict[str, Any]:
    """Return a run that waits for the output of call_1. Its key `step` has the id of its step."""
    chat.replies = [calls(("call_1", "get_weather", "{}"))]
    run = runs.execute(runs.run(runs.thread(), runs.assistant(tools=[WEATHER])))
    return run | {"step": runs.steps(run)[0]["id"]}


@pytest.mark.parametrize("trusted", [False, True])
def test_a_strangers_key_sees_and_changes_nothing_of_a_run(
    runs: Runs,
    waiting: dict[str, Any],
    trusted: bool,
) -> None:
    stranger = Runs(Client(trusted=trusted))
    before = runs.read(waiting), runs.steps(waiting)
    for operation, body in OF_A_THREAD.items():
        ids = [waiting["thread_id"], waiting["id"], waiting["step"]]
        needed = {"list_runs": 1, "retrieve_run_step": 3}.get(operation, 2)
        with fault_injection.inject() as attempts:
            answer = stranger.call(operation, *ids[:needed], body=body)
        nobodys = stranger.call(operation, _NOBODY, *ids[1:needed], body=body)
        assert answer.error == (404, None, None)
        assert answer.text.replace(waiting["thread_id"], _NOBODY) == nobodys.text
        assert f"{runs.client.project}#" not in repr(attempts.log)
    assert (runs.read(waiting), runs.steps(waiting)) == before


@pytest.mark.parametrize("trusted", [False, True])
def test_a_strangers_key_neither_runs_nor_sees_anything_of_a_project(
    runs: Runs,
    waiting: dict[str, Any],
    trusted: bool,
) -> None:
    stranger = Runs(Client(trusted=trusted))
    theirs, own_thread, own_assistant = waiting["assistant_id"], stranger.thread(), stranger.assistant()
    for operation, body in OF_AN_ASSISTANT.items():
        assert stranger.call(operation, theirs, body=body).error == (404, None, None)
    assert [found["id"] for found in stranger.create("list_assistants")["data"]] == [own_assistant]
    for operation, ids, assistant_id in (
        ("create_run", (own_thread,), theirs),
        ("create_run", (waiting["thread_id"],), own_assistant),
        ("create_run", (waiting["thread_id"],), theirs),
        ("create_thread_and_run", (), theirs),
    ):
        assert stranger.call(operation, *ids, body={"assistant_id": assistant_id}).error == (404, None, None)
    assert runs.create("retrieve_assistant", theirs)["instructions"] == ASSISTANT["instructions"]
    assert len(runs.create("list_runs", waiting["thread_id"])["data"]) == 1


def test_a_run_of_another_thread_is_not_found(runs: Runs, waiting: dict[str, Any]) -> None:
    other = runs.thread()
    for operation, body in OF_A_THREAD.items():
        if operation != "list_runs":
            ids = [other, waiting["id"], *([waiting["step"]] if operation == "retrieve_run_step" else [])]
            answer = runs.call(operation, *ids, body=body)
            assert answer.body["error"]["message"] == f"No run found with id '{waiting['id']}'."


def test_the_same_idempotency_key_of_two_projects_makes_two_runs(runs: Runs, chat: Chat) -> None:
    stranger = Runs(Client())
    headers = {"idempotency-key": "key"}
    made = [
        one.create("create_thread_and_run", body={"assistant_id": one.assistant()}, headers=headers)["id"]
        for one in (runs, stranger)
    ]
    assert len({*made}) == 2
