"""Runs while the local API and its engine are killed: the client, the model, and the checks of the result."""

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support import chat_stub
from tests.support.chat_stub import Reply
from tests.support.client import Client
from tests.support.invariants import check_assistants, check_project
from tests.support.runs import WEATHER, Runs

Json = dict[str, Any]
ENDS = {"completed", "failed", "cancelled", "expired"}
_RESENT = {"x-stainless-retry-count": "1"}
# The client stops polling after this time: a run whose worker was killed stays in progress.
_SECONDS_TO_POLL = 4.0


@dataclass
class Work:
    """What one client did: its threads, the runs whose cancel was acknowledged, and the ends of runs that it saw."""

    name: str
    draw: random.Random
    threads: list[str] = field(default_factory=list)
    cancelled: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)


def model(draw: random.Random) -> Any:
    """Return a reply of the model: an answer, maybe a slow one, calls of a function before it, or a fault."""

    def reply(asked: Json) -> Reply:
        kind = draw.random()
        if kind < 0.3 and asked["messages"][-1]["role"] == "user":
            return chat_stub.calls(("call_1", "get_weather", "{}"))
        if kind < 0.4:
            return chat_stub.fails(400)
        words = chat_stub.says("It ", "is ", "sunny.")
        return Reply(words.chunks, between=lambda: time.sleep(0.1 * kind))

    return reply


def use_runs(service: Any, work: Work) -> None:
    """Create threads with a run each, poll, submit outputs and cancel. Repeat requests that got no response."""
    body = {"model": "m", "instructions": "Be brief.", "tools": [WEATHER]}
    assistant_id = service.insist("POST", "/assistants", json=body).json()["id"]
    while not service.ended.is_set():
        thread = {"messages": [{"role": "user", "content": "How is it?"}]}
        thread_id = service.insist("POST", "/threads", json=thread).json()["id"]
        work.threads.append(thread_id)
        path, body = f"/threads/{thread_id}/runs", {"assistant_id": assistant_id}
        headers = {"Idempotency-Key": thread_id} if work.draw.random() < 0.5 else {}
        created = _send(service, path, body, headers)
        assert created.status_code == 200, created.text
        _poll(service, work, f"{path}/{created.json()['id']}")


def _poll(service: Any, work: Work, path: str) -> None:
    run_id, end = path.rpartition("/")[2], time.monotonic() + _SECONDS_TO_POLL
    while time.monotonic() < end and not service.given_up.is_set():
        run = service.insist("GET", path).json()
        if run["status"] in ENDS:
            work.ended[run_id] = run["status"]
            return
        if run["status"] == "requires_action":
            outputs = {"tool_outputs": [{"tool_call_id": "call_1", "output": "sunny"}]}
            submitted = _send(service, f"{path}/submit_tool_outputs", outputs, {})
            assert submitted.status_code == 200, submitted.text
        if work.draw.random() < 0.01 and service.insist("POST", f"{path}/cancel").status_code == 200:
            work.cancelled.add(run_id)
        time.sleep(0.05)


def _send(service: Any, path: str, body: Json, headers: dict[str, str]) -> httpx.Response:
    """Send a request. If there is no response, repeat it until there is one, with an SDK's header for the attempt."""
    first = service.attempt("POST", path, json=body, headers=headers)
    found: httpx.Response = first or service.insist("POST", path, json=body, headers=headers | _RESENT)
    return found


def ten_minutes_later(works: list[Work]) -> list[Counter[str]]:
    """Check the stored data, in a process whose clock is ten minutes ahead. Count how the runs ended."""
    runs, ends = Runs(Client("alpha")), Counter[str]()
    for work in works:
        for thread_id in work.threads:
            made = runs.create("list_runs", thread_id)["data"]
            messages = runs.client.page(thread_id, limit=100)["data"]
            # A client creates another run only if the previous one has failed, because it waits for an answer.
            assert [run["status"] for run in made[1:]] == ["failed"] * len(made[1:]), json.dumps(made)
            for run in made:
                _check_run(runs, work, run, [one for one in messages if one["run_id"] == run["id"]])
            ends += Counter(run["status"] for run in made)
            runs.client.message(thread_id, "free")
    check_project("alpha")
    check_assistants("alpha")
    return [ends]


def _check_run(runs: Runs, work: Work, run: Json, answers: list[Json]) -> None:
    assert run["status"] in ENDS
    assert run["status"] == work.ended.get(run["id"], run["status"])
    assert run["status"] == "cancelled" or run["id"] not in work.cancelled
    assert len(answers) == (run["status"] == "completed")
    if answers:
        assert runs.steps(run)[0]["step_details"]["message_creation"] == {"message_id": answers[0]["id"]}
