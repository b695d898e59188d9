"""A deleted thread's run ends without an error and leaves no items. Nor do changed and deleted assistants leave any."""

from typing import Any

import pytest

from tests.promises.threads import incompressible
from tests.support import chat_stub, event_sources, expected
from tests.support.chat_stub import Chat, Reply, says
from tests.support.invariants import check_assistants
from tests.support.runs import WEATHER, Runs, work
from tests.support.stored import sort_keys

_LARGE = incompressible(seed=1, length=250_000)


def erased_after(runs: Runs, operation: str, *ids: str, body: Any = None) -> None:
    """Make a call, and then run the function that reads the stream and the erasure."""
    with event_sources.erasures() as erasures:
        if operation == "delete_thread":
            runs.client.create(operation, *ids)
        else:
            runs.create(operation, *ids, body=body)
        erasures.run()


@pytest.fixture
def used(runs: Runs, chat: Chat) -> dict[str, Any]:
    """Return a run that wrote items of all kinds to its thread: settings, steps and outputs in chunks, an answer."""
    call = chat_stub.calls(("call_1", "get_weather", _LARGE), text="I look it up.")
    chat.replies = [call, says("Sunny.")]
    body = {"assistant_id": runs.assistant(tools=[WEATHER]), "instructions": _LARGE}
    headers = {"idempotency-key": "key"}
    run = runs.create("create_run", runs.thread(), body=body, headers=headers)
    runs.execute(run)
    assert runs.submit(run, {"call_1": _LARGE[:120_000]}).status == 200
    return runs.execute(run)


def test_nothing_is_left_of_a_deleted_threads_runs(runs: Runs, used: dict[str, Any]) -> None:
    partition = f"{runs.client.project}#{used['thread_id']}"
    kinds = {sort.partition("_")[0] for sort in sort_keys(partition)}
    assert kinds >= {"head", "msg", "run", "step#run", "output#run", "part#run", "part#step#run", "part#output#run"}

    erased_after(runs, "delete_thread", used["thread_id"])

    assert sort_keys(partition) == []


@pytest.mark.parametrize("status", ["queued", "in_progress", "requires_action"])
def test_the_run_of_a_thread_that_is_deleted_ends_quietly_and_writes_nothing(
    runs: Runs, chat: Chat, status: str
) -> None:
    """The thread is erased while the model answers, or before the run is delivered."""
    run = runs.run(runs.thread(), runs.assistant(tools=[WEATHER]))
    partition = f"{runs.client.project}#{run['thread_id']}"

    def delete() -> None:
        erased_after(runs, "delete_thread", run["thread_id"])

    if status == "in_progress":
        chat.replies = [Reply(chunks=says("late").chunks, before=delete)]
    else:
        chat.replies = [chat_stub.calls(("call_1", "get_weather", "{}"))]
        if status == "requires_action":
            runs.execute(run)
        delete()
    for _ in range(2):
        assert work(runs.client.project, run) == {"batchItemFailures": []}

    assert sort_keys(partition) == []
    not_found = expected.error(f"No thread found with id '{run['thread_id']}'.")
    for operation, body in (
        ("retrieve_run", None),
        ("modify_run", {"metadata": {"a": "b"}}),
        ("cancel_run", None),
        ("submit_tool_outputs", {"tool_outputs": [{"tool_call_id": "call_1", "output": "late"}]}),
        ("list_run_steps", None),
    ):
        assert runs.call(operation, run["thread_id"], run["id"], body=body).body == not_found
    assert runs.call("list_runs", run["thread_id"]).body == not_found
    create = runs.call("create_run", run["thread_id"], body={"assistant_id": run["assistant_id"]})
    assert create.body == not_found
    assert sort_keys(partition) == []


def test_the_chunks_of_an_assistant_go_when_it_is_modified_and_deleted(runs: Runs) -> None:
    partition = f"{runs.client.project}#assistants"
    kept, assistant_id = (runs.assistant(instructions=_LARGE) for _ in range(2))
    prefix = f"part#{assistant_id}#"
    chunks = sort_keys(partition, prefix)

    erased_after(runs, "modify_assistant", assistant_id, body={"instructions": _LARGE[::-1]})
    others = sort_keys(partition, prefix)
    assert chunks
    assert others
    assert not {*chunks} & {*others}
    assert runs.create("retrieve_assistant", assistant_id)["instructions"] == _LARGE[::-1]
    erased_after(runs, "modify_assistant", assistant_id, body={"instructions": "Be brief."})
    assert sort_keys(partition, prefix) == []
    runs.create("modify_assistant", assistant_id, body={"instructions": _LARGE})
    erased_after(runs, "delete_assistant", assistant_id)

    check_assistants(runs.client.project)
    assert not [sort for sort in sort_keys(partition) if assistant_id in sort]
    assert runs.create("retrieve_assistant", kept)["instructions"] == _LARGE
