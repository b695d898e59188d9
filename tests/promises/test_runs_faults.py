"""Every fault at every call of an operation of runs: the operation is done or not, responds so, and can be sent again.

tests/promises/test_faults_at_every_call.py tests the same for messages and threads. FAULTS_SHARE=1 makes all trials.
"""

import random
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from tests.promises import trials
from tests.promises.threads import incompressible
from tests.support import chat_stub, fault_injection
from tests.support.chat_stub import Chat, Reply, fails, says
from tests.support.client import Answer, Client
from tests.support.clock import Clock
from tests.support.fault_injection import Attempt, Effect, Fault
from tests.support.invariants import check_assistants, check_project
from tests.support.runs import WEATHER, Runs, work
from tools.openapi.routes import ROUTES

LARGE = incompressible(seed=1, length=110_000)
_ONCE = {"idempotency-key": "key"}


@dataclass
class Stage:
    """A project with an assistant, a thread, and a run in the status of the case."""

    runs: Runs
    assistant_id: str
    thread_id: str
    run: dict[str, Any]

    def view(self) -> list[Any]:
        found: list[Any] = [
            (one["name"], one["instructions"])
            for one in self.runs.create("list_assistants", query={"order": "asc"})["data"]
        ]
        for thread in self.runs.client.create("list_threads", query={"order": "asc"})["data"]:
            for run in self.runs.create("list_runs", thread["id"], query={"order": "asc"})["data"]:
                assert self.runs.read(run) == run
                steps = [(step["type"], step["status"], _output(step)) for step in self.runs.steps(run)]
                found.append((run["status"], run["metadata"], run["instructions"], run["required_action"], steps))
            messages = self.runs.client.page(thread["id"], order="asc", limit=100)["data"]
            found.append([(one["role"], one["content"]) for one in messages])
        return found

    def check(self, touched: set[str]) -> None:
        check_project(self.runs.client.project, touched)
        check_assistants(self.runs.client.project)


def _output(step: dict[str, Any]) -> Any:
    found = step["step_details"]
    return found["tool_calls"][0]["function"]["output"] if "tool_calls" in found else None


@dataclass(frozen=True)
class Case:
    """An operation, and the status of the run on which it is called, None for no run.

    `again` and `doubles` are those of trials.try_operation.
    """

    operation: str
    status: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    again: int = 200
    large: bool = False
    doubles: bool = False

    def call(self, stage: Stage, headers: dict[str, str]) -> Answer:
        known = [stage.thread_id, stage.run.get("id", ""), stage.run.get("step", "")]
        ids = [stage.assistant_id] if "assistant" in self.operation else known
        needed = ROUTES[self.operation][2].count("{")
        options = dict(self.options)
        if self.operation.startswith("create_") and self.operation != "create_assistant":
            options["body"] = {"assistant_id": stage.assistant_id} | options.get("body", {})
        given = headers | options.pop("headers", {})
        return stage.runs.call(self.operation, *ids[:needed], headers=given, **options)


_USER = {"role": "user", "content": "And now?"}
_OUTPUTS = {"body": {"tool_outputs": [{"tool_call_id": "call_1", "output": "sunny"}]}}
CASES = {
    "create_run": Case("create_run", options={"body": {"additional_messages": [_USER, _USER]}}),
    "create_run with a key": Case("create_run", options={"body": {"additional_messages": [_USER]}, "headers": _ONCE}),
    "create_run, large": Case("create_run", options={"body": {"instructions": LARGE}}),
    "create_thread_and_run": Case("create_thread_and_run", doubles=True),
    "create_thread_and_run with a key": Case(
        "create_thread_and_run", options={"body": {"thread": {"messages": [_USER]}}, "headers": _ONCE}
    ),
    "retrieve_run": Case("retrieve_run", "requires_action"),
    "retrieve_run, large": Case("retrieve_run", "completed", large=True),
    "list_runs": Case("list_runs", "completed"),
    "modify_run": Case("modify_run", "completed", {"body": {"metadata": {"a": "b"}}}),
    "cancel_run": Case("cancel_run", "queued", again=400),
    "cancel_run that waits": Case("cancel_run", "requires_action", again=400),
    "submit_tool_outputs": Case("submit_tool_outputs", "requires_action", _OUTPUTS),
    "list_run_steps": Case("list_run_steps", "completed"),
    "retrieve_run_step": Case("retrieve_run_step", "completed"),
    "create_assistant": Case("create_assistant", options={"body": {"model": "gpt-4o", "name": "b"}}, doubles=True),
    "list_assistants": Case("list_assistants"),
    "retrieve_assistant": Case("retrieve_assistant", large=True),
    "modify_assistant": Case("modify_assistant", options={"body": {"name": "b"}}),
    "modify_assistant, large": Case("modify_assistant", options={"body": {"instructions": LARGE[::-1]}}, large=True),
    "delete_assistant": Case("delete_assistant", again=404),
}


def _stage(chat: Chat, case: Case) -> Stage:
    runs = Runs(Client())
    assistant_id = runs.assistant(tools=[WEATHER], name="a", **({"instructions": LARGE} if case.large else {}))
    thread_id, run = runs.thread(), {}
    if case.status:
        call = chat_stub.calls(("call_1", "get_weather", "{}"))
        chat.replies = [says("Sunny.") if case.status == "completed" else call]
        run = runs.run(thread_id, assistant_id)
        if case.status != "queued":
            run = runs.execute(run)
            run["step"] = runs.steps(run)[0]["id"]
        assert run["status"] == case.status
    return Stage(runs, assistant_id, thread_id, run)


@pytest.mark.parametrize("name", CASES)
def test_an_operation_of_runs_is_done_or_not_and_says_which(name: str, chat: Chat, clock: Clock, seed: int) -> None:
    case = CASES[name]
    draw = random.Random(f"{seed}-{name}")
    set_up = partial(_stage, chat, case)
    trials.try_operation(draw, clock, set_up, case.call, again=case.again, doubles=case.doubles)


@pytest.mark.parametrize("status", ["queued", "submitted"])
def test_a_worker_that_meets_a_fault_at_any_call_ends_its_run_or_leaves_it_to_a_later_delivery(
    chat: Chat, clock: Clock, seed: int, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single fault has no effect. A fault of a minute costs at most the answer; the run does not wait ten minutes."""
    monkeypatch.setenv("RUNS_QUEUE_URL", "http://127.0.0.1:9/a-queue-that-is-out-of-reach")
    first = _to_execute(chat, status)
    with trials.meeting(clock) as attempts:
        work(first.runs.client.project, first.run)
    assert first.runs.read(first.run)["status"] == "completed"
    draw = random.Random(f"{seed}-{status}")
    for at, effect, lasts in trials.drawn(draw, attempts, 3 * trials.SHARE):
        trial = f"{effect.__name__} at call {at}, {'for a minute' if lasts else 'once'}"
        stage = _to_execute(chat, status)
        with trials.meeting(clock, _for_a_minute(effect, at) if lasts else Fault("", effect, at)):
            delivered = work(stage.runs.client.project, stage.run)
        end = stage.runs.read(stage.run)["status"]
        if delivered["batchItemFailures"]:
            # The claim failed. Only a claim whose responses are all lost delays the run until it expires.
            was_claimed = effect in (fault_injection.lost, fault_injection.done_but_failed)
            assert (lasts, at, end) == (True, 1, "in_progress" if was_claimed else "queued"), trial
            continue
        assert end in (("completed", "failed") if lasts else ("completed",)), trial
        messages = stage.runs.client.page(stage.thread_id)["data"]
        assert [one["run_id"] for one in messages] == [stage.run["id"]] * (end == "completed") + [None], trial
        stage.check(set())


def _to_execute(chat: Chat, status: str) -> Stage:
    """Return a stage whose run is queued, or queued again after its outputs were submitted."""
    stage = _stage(chat, Case("execute_run", "requires_action" if status == "submitted" else "queued"))
    if status == "submitted":
        assert stage.runs.submit(stage.run, {"call_1": "sunny"}).status == 200
    chat.replies = [says("Sunny.")]
    return stage


def _for_a_minute(effect: Effect, at: int) -> Fault:
    """Return a fault that lasts for a minute from its first call."""
    began: list[float] = []

    def last(attempt: Attempt) -> Any:
        began.append(time.time())
        is_met = time.time() < began[0] + 60 and effect in fault_injection.effects(attempt.operation)
        return effect(attempt) if is_met else attempt.send()

    return Fault("", last, at, 0)


def _closes() -> None:
    raise ConnectionError


# Faults of one call of the model. A later attempt succeeds after the first group. The second group ends the run.
_PASSING = {"busy": fails(429, retry_after="1"), "down": fails(503), "lost": Reply(before=_closes)}
_LASTING = {
    "refused": fails(400),
    "no chat endpoint": chat_stub.shows_page(),
    "cut": replace(says("Sun", "ny", finish=None, usage=None), breaks=True),
    "without an end": says("Sunny", finish=None),
    "garbage": Reply(["data: {\n\n"]),
}


@pytest.mark.parametrize("call", ["first", "second"])
@pytest.mark.parametrize("name", [*_PASSING, *_LASTING])
def test_a_fault_of_any_model_call_ends_a_run_that_has_an_answer_or_none_and_frees_its_thread(
    chat: Chat, clock: Clock, name: str, call: str
) -> None:
    for lasts in (False, True):
        stage = _to_execute(chat, "submitted" if call == "second" else "queued")
        chat.replies = [(_PASSING | _LASTING)[name], *([] if lasts else [says("Sunny.")])]

        done = stage.runs.execute(stage.run, deliveries=2)

        is_completed = name in _PASSING and not lasts
        assert done["status"] == ("completed" if is_completed else "failed")
        messages = stage.runs.client.page(stage.thread_id)["data"]
        assert [one["run_id"] for one in messages] == [stage.run["id"]] * is_completed + [None]
        chat.replies = [says("Sunny.")]
        clock.forward(1)
        again = stage.runs.execute(stage.runs.run(stage.thread_id, stage.assistant_id))
        assert again["status"] == "completed"
        stage.check(set())
