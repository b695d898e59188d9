"""A run has at most one answer, wherever its worker is killed and however often its queue message is delivered.

KILLS is the number of seeded runs of each kind: KILLS=200 python -m pytest tests/promises/test_runs_kills.py
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from tests.promises import calls as steps
from tests.promises.calls import KilledError
from tests.support import chat_stub, processes
from tests.support.chat_stub import Chat, Reply, fails, says
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.invariants import check_assistants, check_project
from tests.support.runs import WEATHER, Runs, calls_of, work

KILLS = int(os.environ.get("KILLS") or 12)
ACTIVE = ("queued", "in_progress", "requires_action")
ENDS = ("completed", "failed", "expired")
_CALLS = 7


def _replies(draw: random.Random) -> list[Reply]:
    """Return the model's replies in a run: an answer or a fault, and maybe calls before it."""
    call = chat_stub.calls(("call_1", "get_weather", "{}"), text=draw.choice(("", "I look it up.")))
    return [call, says("Sunny.")] if draw.random() < 0.4 else [draw.choice((says("Hello"), fails(400)))]


def _execute(runs: Runs, run: dict[str, Any], draw: random.Random, met: set[str]) -> None:
    """Execute a run. The worker is killed at one of its calls, or while the model answers, or not at all."""
    from shared.runs import execution

    partition = f"{runs.client.project}#{run['thread_id']}"
    if draw.random() < 0.2:
        with pytest.MonkeyPatch.context() as patch, suppress(KilledError):
            patch.setattr(execution, "_drop", _die)
            execution.execute(partition, run["id"])
        met.add("answer")
        return
    step, done = draw.randrange(_CALLS), draw.random() < 0.5
    if steps.killed(step, partial(work, runs.client.project, run), done=done):
        met.add(f"call {step}, {'done' if done else 'not done'}")


def _die(_text: str) -> None:
    raise KilledError


def _answers(runs: Runs, run: dict[str, Any]) -> list[dict[str, Any]]:
    messages = runs.client.page(run["thread_id"], limit=100)["data"]
    return [message for message in messages if message["run_id"] == run["id"]]


def test_a_run_whose_worker_is_killed_ends_with_one_answer_at_most_and_locks_its_thread_for_ten_minutes_at_most(
    runs: Runs, chat: Chat, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Each message is delivered twice. A run that was claimed and whose worker was killed expires."""
    clock = Clock(monkeypatch)
    assistant_id = runs.assistant(tools=[WEATHER])
    ends, met = set(), set[str]()
    for number in range(seed, seed + KILLS):
        draw = random.Random(number)
        chat.replies = [*_replies(draw)]
        run = runs.run(runs.thread(), assistant_id)
        for _ in range(2):
            for _ in range(2):
                _execute(runs, run, draw, met)
            if runs.read(run)["status"] == "requires_action":
                runs.submit(run, {call["id"]: "sunny" for call in calls_of(runs.read(run))})
        before = runs.read(run)["status"]
        clock.forward(600)
        end = runs.read(run)["status"]
        assert end in ENDS, f"seed {number}"
        assert before in (end, *ACTIVE), f"seed {number}"
        assert [_text(one) for one in _answers(runs, run) if _text(one) != "I look it up."] == (
            [_text(_answers(runs, run)[0])] if end == "completed" else []
        ), f"seed {number}"
        runs.client.message(run["thread_id"], "free")
        ends.add(end)
        check_project(runs.client.project)
    check_assistants(runs.client.project)
    if KILLS >= 200:
        assert ends == {*ENDS}
        expected = {f"call {step}, {how}" for step in range(4) for how in ("done", "not done")}
        assert met >= expected | {"answer"}


def _text(message: dict[str, Any]) -> str:
    return str(message["content"][0]["text"]["value"])


def deliver(secret: str, project: str, queued: list[dict[str, Any]]) -> list[str]:
    """Let this process's worker take each message. Return the end of each run as this process sees it."""
    runs = Runs(Client(project, secret=secret))
    for run in queued:
        work(project, run)
    return [str(runs.read(run)["status"]) for run in queued]


def create_at_once(secret: str, thread_id: str, assistant_id: str) -> list[tuple[int, str]]:
    """Create four runs of a thread in threads of this process; return the statuses and texts."""
    runs = Runs(Client("", secret=secret))
    with ThreadPoolExecutor(4) as pool:
        create = partial(runs.call, "create_run", thread_id, body={"assistant_id": assistant_id})
        made = [pool.submit(create) for _ in range(4)]
        return [(one.result().status, one.result().text) for one in made]


def test_processes_whose_clocks_differ_by_seconds_execute_each_run_once(runs: Runs, chat: Chat) -> None:
    assistant_id = runs.assistant()
    queued = [runs.run(runs.thread(), assistant_id) for _ in range(KILLS)]

    seen = processes.together([-5.0, 5.0], deliver, runs.client.secret, runs.client.project, queued)

    assert {*seen} <= {"completed", "in_progress"}
    assert [len(_answers(runs, run)) for run in queued] == [1] * KILLS
    assert len(chat.asked) == KILLS
    check_project(runs.client.project)


def test_eight_creates_at_once_make_one_run_and_seven_refusals(runs: Runs, chat: Chat) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()

    answers = processes.together([-5.0, 5.0], create_at_once, runs.client.secret, thread_id, assistant_id)

    (run,) = runs.create("list_runs", thread_id)["data"]
    assert sorted(status for status, _ in answers) == [200] + [400] * 7
    refusal = f"Thread {thread_id} already has an active run {run['id']}."
    assert all(refusal in text for status, text in answers if status == 400)
    check_project(runs.client.project)


def test_two_submits_at_once_take_the_outputs_of_one(runs: Runs, chat: Chat, seed: int) -> None:
    assistant_id = runs.assistant(tools=[WEATHER])
    with ThreadPoolExecutor(2) as pool:
        for number in range(seed, seed + KILLS):
            chat.replies = [chat_stub.calls(("call_1", "get_weather", "{}")), says("Sunny.")]
            run = runs.execute(runs.run(runs.thread(), assistant_id))
            outputs = ["sunny", "rainy" if number % 2 else "sunny"]
            submits = [pool.submit(runs.submit, run, {"call_1": output}) for output in outputs]
            answers = [submit.result() for submit in submits]
            assert sorted(answer.status for answer in answers) == [200, 400], f"seed {number}"
            taken = outputs[0 if answers[0].status == 200 else 1]
            (step,) = runs.steps(run)
            assert step["step_details"]["tool_calls"][0]["function"]["output"] == taken
            assert runs.execute(run, deliveries=2)["status"] == "completed"
            assert chat.asked[-1]["messages"][-1]["content"] == taken
    check_project(runs.client.project)


def test_a_cancel_and_an_answer_at_once_leave_a_run_that_is_the_one_or_the_other(
    runs: Runs, chat: Chat, seed: int
) -> None:
    assistant_id = runs.assistant()
    with ThreadPoolExecutor(2) as pool:
        for number in range(seed, seed + KILLS):
            run = runs.run(runs.thread(), assistant_id)
            worker = pool.submit(work, runs.client.project, run)
            cancel = runs.call("cancel_run", run["thread_id"], run["id"])
            worker.result()
            end = "cancelled" if cancel.status == 200 else "completed"
            assert (runs.read(run)["status"], len(_answers(runs, run))) == (end, end == "completed"), f"seed {number}"
    check_project(runs.client.project)
