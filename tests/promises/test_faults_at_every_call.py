"""Whichever call of an operation on threads and messages meets whichever fault: it is done or not, and it says so.

FAULTS_SHARE=1 python -m pytest tests/promises/test_faults_at_every_call.py
"""

import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from tests.promises import trials
from tests.promises.threads import incompressible
from tests.support.client import OPERATIONS, Answer, Client
from tests.support.clock import Clock
from tests.support.invariants import check_project

LARGE = incompressible(seed=1, length=110_000)


@dataclass
class Stage:
    """A project with one thread: a user's message, a message of a run, and a last message. `large` makes it large."""

    client: Client
    thread_id: str
    messages: list[str]

    def view(self) -> list[Any]:
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

    def check(self, touched: set[str]) -> None:
        check_project(self.client.project, touched)


def _stage(*, large: bool = False) -> Stage:
    client = Client(trusted=True)
    thread_id = client.thread(metadata={"user_id": "u1"}, messages=[{"role": "user", "content": "first"}])
    (first,) = client.page(thread_id)["data"]
    of_run = client.message(thread_id, "second", role="assistant", run_id="run_1")
    last = client.message(thread_id, LARGE if large else "third")
    return Stage(client, thread_id, [first["id"], of_run["id"], last["id"]])


@dataclass(frozen=True)
class Case:
    """An operation, what it is asked, and which message it is on, if it is on one."""

    function: str
    options: dict[str, Any] = field(default_factory=dict)
    on: int = 0
    large: bool = False
    doubles: bool = False
    staged: bool = False

    def call(self, stage: Stage, headers: dict[str, str]) -> Answer:
        ids = [stage.thread_id, stage.messages[self.on]][: OPERATIONS[self.function]]
        options = self.options | {"headers": headers | self.options.get("headers", {})}
        return stage.client.call(self.function, *ids, **options)


def _body(**fields: Any) -> dict[str, Any]:
    return {"body": fields}


_USER = {"role": "user", "content": "new"}
_ONCE = {"headers": {"idempotency-key": "key"}}
_THREAD = {"metadata": {"user_id": "u2"}, "messages": [_USER, _USER | {"content": "newer"}]}
CASES = {
    "create_message": Case("create_message", _body(**_USER), doubles=True),
    "create_message with a key": Case("create_message", _body(**_USER) | _ONCE),
    "create_message of a run": Case("create_message", _body(role="assistant", content="new", run_id="run_1") | _ONCE),
    "create_message, large": Case("create_message", _body(role="user", content=LARGE) | _ONCE),
    "list_messages": Case("list_messages"),
    "list_messages of a run": Case("list_messages", {"query": {"run_id": "run_1"}}),
    "list_messages, large": Case("list_messages", large=True),
    "retrieve_message": Case("retrieve_message"),
    "retrieve_message, large": Case("retrieve_message", on=2, large=True),
    "modify_message": Case("modify_message", _body(metadata={"a": "b"})),
    "modify_message, large": Case("modify_message", _body(metadata={"a": "b"}), on=2, large=True),
    "modify_message with content": Case("modify_message", _body(content="edited")),
    "modify_message with large content": Case(
        "modify_message", _body(content=LARGE[::-1], metadata={}), on=2, large=True
    ),
    "delete_message": Case("delete_message"),
    "delete_message of a run": Case("delete_message", on=1),
    "delete_message, large": Case("delete_message", on=2, large=True),
    "create_thread": Case("create_thread", _body(metadata={"user_id": "u1"}), doubles=True),
    "create_thread with a key": Case("create_thread", _body(**_THREAD) | _ONCE),
    "create_thread in steps": Case("create_thread", _body(**_THREAD) | _ONCE, staged=True),
    "list_threads": Case("list_threads"),
    "list_threads by value": Case("list_threads", {"query": {"metadata[user_id]": "u1"}}),
    "retrieve_thread": Case("retrieve_thread"),
    "modify_thread": Case("modify_thread", _body(metadata={"user_id": "u2"})),
    "delete_thread": Case("delete_thread"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_is_done_or_not_and_says_which(
    name: str, clock: Clock, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import threads

    case = CASES[name]
    if case.staged:
        monkeypatch.setattr(threads, "_WRITES_IN_ONE", 1)
    draw = random.Random(f"{seed}-{name}")
    again = 404 if case.function.startswith("delete_") else 200
    set_up = partial(_stage, large=case.large)
    trials.try_operation(draw, clock, set_up, case.call, again=again, doubles=case.doubles)
