"""Whichever call of an operation meets whichever fault: what is stored is as before it or as after it, and it says so.

FAULTS_SHARE says which share of the trials is made, drawn by PROMISES_SEED; 1 makes all:

    FAULTS_SHARE=1 python -m pytest tests/promises/test_faults_at_every_call.py
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.promises import calls
from tests.promises.threads import incompressible
from tests.support import fault_injection
from tests.support.client import Answer, Client
from tests.support.clock import Clock
from tests.support.fault_injection import Attempts, Effect, Fault
from tests.support.invariants import check_project

SHARE = float(os.environ.get("FAULTS_SHARE") or 0.05)
LARGE = incompressible(seed=1, length=110_000)
View = list[Any]


@dataclass
class Stage:
    """A project with one thread: a user's message, one of a run, and one more; `large` makes that one large."""

    client: Client
    thread_id: str
    messages: list[str]

    def view(self) -> View:
        """Return all that the project's key can see, without ids and times."""
        found = []
        for thread in self.client.create("list_threads")["data"]:
            assert self.client.create("retrieve_thread", thread["id"]) == thread
            values = {"metadata[user_id]": thread["metadata"].get("user_id", "nobody")}
            listed = self.client.create("list_threads", query=values)["data"]
            assert (thread in listed) == ("user_id" in thread["metadata"])
            messages = self.client.page(thread["id"], order="asc", limit=100)["data"]
            of_run = self.client.page(thread["id"], order="asc", limit=100, run_id="run_1")["data"]
            assert of_run == [message for message in messages if message["run_id"]]
            shown = [(one["role"], one["content"], one["metadata"], one["run_id"]) for one in messages]
            found.append((thread["metadata"], thread["tool_resources"], shown))
        return sorted(found, key=repr)


def _stage(*, large: bool = False) -> Stage:
    client = Client(trusted=True)
    thread_id = client.thread(metadata={"user_id": "u1"}, messages=[{"role": "user", "content": "first"}])
    (first,) = client.page(thread_id)["data"]
    of_run = client.message(thread_id, "second", role="assistant", run_id="run_1")
    last = client.message(thread_id, LARGE if large else "third")
    return Stage(client, thread_id, [first["id"], of_run["id"], last["id"]])


@dataclass(frozen=True)
class Case:
    """An operation: which message it is on (None: the thread; -1: neither), and what it is asked."""

    function: str
    on: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    large: bool = False
    # Stored although the answer was a 503, and sent again, it is there twice.
    doubles: bool = False
    staged: bool = False

    def call(self, stage: Stage) -> Answer:
        ids = (
            [stage.thread_id] if self.on is None else [] if self.on < 0 else [stage.thread_id, stage.messages[self.on]]
        )
        return stage.client.call(self.function, *ids, **self.options)


def _body(**fields: Any) -> dict[str, Any]:
    return {"body": fields}


_USER = {"role": "user", "content": "new"}
_ONCE = {"headers": {"idempotency-key": "key"}}
_THREAD = {"metadata": {"user_id": "u2"}, "messages": [_USER, _USER | {"content": "newer"}]}
CASES = {
    "create_message": Case("create_message", options=_body(**_USER), doubles=True),
    "create_message with a key": Case("create_message", options=_body(**_USER) | _ONCE),
    "create_message of a run": Case(
        "create_message", options=_body(role="assistant", content="new", run_id="run_1") | _ONCE
    ),
    "create_message, large": Case("create_message", options=_body(role="user", content=LARGE) | _ONCE),
    "list_messages": Case("list_messages"),
    "list_messages of a run": Case("list_messages", options={"query": {"run_id": "run_1"}}),
    "list_messages, large": Case("list_messages", large=True),
    "retrieve_message": Case("retrieve_message", 0),
    "retrieve_message, large": Case("retrieve_message", 2, large=True),
    "modify_message": Case("modify_message", 0, _body(metadata={"a": "b"})),
    "modify_message, large": Case("modify_message", 2, _body(metadata={"a": "b"}), large=True),
    "modify_message with content": Case("modify_message", 0, _body(content="edited")),
    "modify_message with large content": Case("modify_message", 2, _body(content=LARGE[::-1], metadata={}), large=True),
    "delete_message": Case("delete_message", 0),
    "delete_message of a run": Case("delete_message", 1),
    "delete_message, large": Case("delete_message", 2, large=True),
    "create_thread": Case("create_thread", -1, _body(metadata={"user_id": "u1"}), doubles=True),
    "create_thread with a key": Case("create_thread", -1, _body(**_THREAD) | _ONCE),
    "create_thread in steps": Case("create_thread", -1, _body(**_THREAD) | _ONCE, staged=True),
    "list_threads": Case("list_threads", -1),
    "list_threads by value": Case("list_threads", -1, {"query": {"metadata[user_id]": "u1"}}),
    "retrieve_thread": Case("retrieve_thread"),
    "modify_thread": Case("modify_thread", options=_body(metadata={"user_id": "u2"})),
    "delete_thread": Case("delete_thread"),
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that pauses only put forward: botocore's, and the store's own."""
    return Clock(monkeypatch)


@contextmanager
def _meeting(clock: Clock, *met: Fault) -> Iterator[Attempts]:
    """Let an operation meet faults, and its key be looked up once more."""
    clock.forward(61)
    with fault_injection.inject(*met) as attempts:
        yield attempts


def _trials(clock: Clock, case: Case) -> tuple[View, View, list[tuple[int, Effect, int]]]:
    """Return what is seen before and after the operation, and which calls are to meet which faults how often."""
    stage = _stage(large=case.large)
    before = stage.view()
    with _meeting(clock) as attempts:
        answer = case.call(stage)
    assert answer.status == 200, answer.text
    made = [(at, effect) for at, name in enumerate(attempts.operations, 1) for effect in fault_injection.effects(name)]
    return before, stage.view(), [(at, effect, times) for at, effect in made for times in (1, 0)]


@pytest.mark.parametrize("name", CASES)
def test_an_operation_is_done_or_not_and_says_which(
    name: str, clock: Clock, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fault is not seen; one that does not end is a 503, after which the same request is sent once more."""
    from shared.store import threads

    case = CASES[name]
    if case.staged:
        monkeypatch.setattr(threads, "_WRITES_IN_ONE", 1)
    before, after, trials = _trials(clock, case)
    draw = random.Random(f"{seed}-{name}")
    for at, effect, times in trials:
        if draw.random() > SHARE:
            continue
        trial = f"{effect.__name__} at call {at}, {'once' if times else 'without end'}"
        stage = _stage(large=case.large)
        with calls.partitions() as touched, _meeting(clock, Fault("", effect, at, times)):
            answer = case.call(stage)
        assert answer.status == 200 or (not times and answer.error == (503, None, None)), f"{trial}: {answer.text}"
        seen = stage.view()
        assert seen == after or (answer.status == 503 and seen == before), trial
        check_project(stage.client.project, touched)
        if answer.status == 503:
            assert answer.headers["retry-after"] == "1"
            _send_again(case, stage, clock, trial, done=seen == after)
            assert stage.view() == after or (case.doubles and seen == after != before), trial
            check_project(stage.client.project, touched)


def _send_again(case: Case, stage: Stage, clock: Clock, trial: str, *, done: bool) -> None:
    clock.forward(1)
    answer = case.call(stage)
    gone = done and case.function.startswith("delete_")
    assert answer.error == (404, None, None) if gone else answer.status == 200, trial
