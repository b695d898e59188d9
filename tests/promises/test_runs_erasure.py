"""A deleted thread's run ends quietly and leaves nothing behind; so do a modified and a deleted assistant."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from tests.promises.threads import incompressible
from tests.support import chat_stub, expected
from tests.support.chat_stub import Chat, Reply, says
from tests.support.client import Client
from tests.support.invariants import check_assistants
from tests.support.runs import WEATHER, Runs, work
from tests.support.stream import Record, images, record

_LARGE = incompressible(seed=1, length=250_000)


def stored(partition: str) -> list[str]:
    """Return the sort keys of a partition."""
    return sorted(sort for name, sort in images() if name == partition)


@contextmanager
def erasing(client: Client) -> Iterator[None]:
    """Do with what changes in a project what the follower of the stream and the erasure do."""
    from functions import erase_thread, queue_jobs

    before = images()
    yield
    after = images()
    names = [name for name in {**before, **after} if name[0].startswith(f"{client.project}#")]
    changes = [record(1, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)
    for change in filter(_is_for_erasure, changes):
        erasure = queue_jobs._erasure(change["dynamodb"])
        if erasure:
            erase_thread.handler({"Records": [{"body": json.dumps(erasure._asdict())}]}, context)


def _is_for_erasure(change: Record) -> bool:
    """Tell what the template's filters do: heads that became tombstones, and items that had chunks."""
    found = change["dynamodb"]
    is_tombstone = found.get("NewImage", {}).get("state", {}).get("S") == "erasing"
    return is_tombstone or "parts" in found.get("OldImage", {})


@pytest.fixture
def used(runs: Runs, chat: Chat) -> dict[str, Any]:
    """Return a run that left all kinds of items in its thread: settings, steps and outputs in chunks, an answer."""
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
    kinds = {sort.partition("_")[0] for sort in stored(partition)}
    assert kinds >= {"head", "msg", "run", "step#run", "output#run", "part#run", "part#step#run", "part#output#run"}

    with erasing(runs.client):
        runs.client.create("delete_thread", used["thread_id"])

    assert stored(partition) == []


@pytest.mark.parametrize("status", ["queued", "in_progress", "requires_action"])
def test_the_run_of_a_thread_that_is_deleted_ends_quietly_and_writes_nothing(
    runs: Runs, chat: Chat, status: str
) -> None:
    """The thread is erased while the model answers, or before the run is delivered."""
    run = runs.run(runs.thread(), runs.assistant(tools=[WEATHER]))
    partition = f"{runs.client.project}#{run['thread_id']}"

    def delete() -> None:
        with erasing(runs.client):
            runs.client.create("delete_thread", run["thread_id"])

    if status == "in_progress":
        chat.replies = [Reply(chunks=says("late").chunks, before=delete)]
    else:
        chat.replies = [chat_stub.calls(("call_1", "get_weather", "{}"))]
        if status == "requires_action":
            runs.execute(run)
        delete()
    for _ in range(2):
        assert work(runs.client.project, run) == {"batchItemFailures": []}

    assert stored(partition) == []
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
    assert stored(partition) == []


def test_the_chunks_of_an_assistant_go_when_it_is_modified_and_deleted(runs: Runs) -> None:
    partition = f"{runs.client.project}#assistants"
    kept = runs.assistant(instructions=_LARGE)
    assistant_id = runs.assistant(instructions=_LARGE)
    chunks = [sort for sort in stored(partition) if sort.startswith(f"part#{assistant_id}#")]

    with erasing(runs.client):
        runs.create("modify_assistant", assistant_id, body={"instructions": _LARGE[::-1]})
    others = [sort for sort in stored(partition) if sort.startswith(f"part#{assistant_id}#")]
    assert runs.create("retrieve_assistant", assistant_id)["instructions"] == _LARGE[::-1]
    assert chunks
    assert others
    assert not {*chunks} & {*others}
    with erasing(runs.client):
        runs.create("modify_assistant", assistant_id, body={"instructions": "Be brief."})
    assert not [sort for sort in stored(partition) if sort.startswith(f"part#{assistant_id}#")]
    with erasing(runs.client):
        runs.create("modify_assistant", assistant_id, body={"instructions": _LARGE})
    with erasing(runs.client):
        runs.create("delete_assistant", assistant_id)

    check_assistants(runs.client.project)
    assert not [sort for sort in stored(partition) if assistant_id in sort]
    assert runs.create("retrieve_assistant", kept)["instructions"] == _LARGE
