"""Makes random requests, and compares each whole response with that of the model (tests/model/model.py).

There are two projects, one of them with a plain and a trusted key. Both use the same ids, also those of the other
project and of deleted objects, and the same Idempotency-Keys and runs. The clock is moved forward, and a little back
like that of another instance.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.model.model import DAY, INDEXED, Came, Reply
from tests.model.runs_model import RunsModel
from tests.support import runs
from tests.support.client import Answer, Client
from tests.support.clock import Clock
from tests.support.invariants import check_assistants, check_project
from tests.support.refusals import NOTHING, NOWHERE
from tests.support.variables import VARIABLES

RETENTION_DAYS = 30
Body = dict[str, Any]
Call = Callable[..., Answer]

picks = st.integers(0, 59)
keys = st.sampled_from([None, None, None, "k1", "k2"])
owners = st.sampled_from(["plain", "trusted", "other"])
# The key of a request on a thread: mostly one of the thread's project. The other project finds nothing.
askers = st.sampled_from(["own", "own", "own", "own", "trusted", "foreign"])
# Hypothesis likes to draw texts of our own code. The mark makes them differ from log lines (tests/support/canaries.py).
words = st.text(max_size=20).map("{}¶".format)
metadata = st.dictionaries(st.text(min_size=1, max_size=8), st.just("") | words, max_size=4)
_users = st.sampled_from(["u1", "u2", "é\x00"])
_thread_metadata = metadata | st.builds(lambda found, user: found | {INDEXED: user}, metadata, _users)
_image_url = st.fixed_dictionaries({"url": st.just("https://example.com/a.png")}, optional={"detail": st.just("low")})
_parts = st.lists(
    st.builds(lambda value: {"type": "text", "text": value}, words)
    | st.builds(lambda image: {"type": "image_url", "image_url": image}, _image_url)
    | st.just({"type": "image_file", "image_file": {"file_id": "file-1"}}),
    min_size=1,
    max_size=3,
)
# Even compressed it is too large for one item.
_LARGE = "".join(map(chr, random.Random(1).choices(range(0x10000, 0x2FFFF), k=110_000)))
_contents = st.one_of(words, words, _parts, st.sampled_from(["x" * 1_000, "again"]))
_attachments = st.lists(
    st.sampled_from([{"file_id": "file-2"}, {"file_id": "file-2", "tools": [{"type": "file_search"}]}]), max_size=2
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": _contents},
    optional={"metadata": metadata | st.none(), "attachments": _attachments | st.none()},
)
_of_a_run = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": _contents, "run_id": st.sampled_from(["run_1", "run_2"])},
    optional={
        "assistant_id": st.just("asst_1"),
        "status": st.just("incomplete"),
        "metadata": metadata,
    },
).map(lambda body: body | ({"incomplete_details": {"reason": "max_tokens"}} if "status" in body else {}))
threads = st.fixed_dictionaries(
    {},
    optional={
        "metadata": _thread_metadata | st.none(),
        "tool_resources": st.just({"file_search": {"vector_store_ids": ["vs_1"]}, "b": {"z": 1, "a": None}})
        | st.none(),
        "messages": st.lists(messages, max_size=3),
    },
)
_thread_changes = threads.map(lambda body: {name: value for name, value in body.items() if name != "messages"})
_message_changes = st.fixed_dictionaries({}, optional={"metadata": metadata | st.none(), "content": _contents})
pages = st.fixed_dictionaries(
    {}, optional={"order": st.sampled_from(["asc", "desc"]), "limit": st.sampled_from(["1", "2", "3", "100"])}
)
# Which of `before` and `after` are given, and the messages that they name.
ends = st.fixed_dictionaries({}, optional={"after": picks, "before": picks})
# A step backwards is the slow clock of another instance.
_SECONDS = (-3.0, 0.001, 0.002, 1.0, 2.0, 61.0, 62.0, 3_600.0, DAY - 4_000.0, float(DAY), (RETENTION_DAYS - 1.0) * DAY)
# Each of these requests is refused before anything is read or written.
_REFUSED: tuple[tuple[str, list[str], Any, str], ...] = (
    ("create_message", [NOWHERE], {"role": "human", "content": "x"}, ""),
    ("create_message", [NOWHERE], {"role": "user"}, ""),
    ("create_thread", [], "{", ""),
    ("modify_thread", ["thread"], {}, ""),
    ("modify_message", [NOWHERE, "msg"], {}, ""),
    ("list_messages", [NOWHERE], None, "limit=0"),
    ("list_threads", [], None, "after=msg_1"),
)


@dataclass
class World:
    """The environment of the machine: its calls, and its actions at the beginning and the end.

    A world with its own `clients` is outside this process, so no clock is moved. `steps` counts the requests by name.
    """

    call: Call | None = None
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    clients: Callable[[], dict[str, Client]] | None = None
    steps: Counter[str] = field(default_factory=Counter)


class Wire(RuleBasedStateMachine):
    """One run of requests on threads and messages: each rule is one. `world` is set by the caller."""

    world = World()

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._stack.enter_context(self.world.around())
        self._clock = self._stack.enter_context(_clock()) if self.world.clients is None else None
        self._keys = (self.world.clients or _new_clients)()
        self._model = RunsModel(RETENTION_DAYS * DAY if self._clock else 0)
        self._messages: list[str] = []
        self._large = 0
        self._differs = False

    def teardown(self) -> None:
        try:
            if not self._differs:
                self._look_at_all()
        finally:
            self._stack.close()

    # Requests on threads

    @initialize(user=_users)
    def begin(self, user: str) -> None:
        """Create a thread first, because a run without any thread would test little."""
        self._create_thread("trusted", {"metadata": {INDEXED: user}}, None)

    @rule(owner=owners, body=threads, key=keys)
    def create_thread(self, owner: str, body: Body, key: str | None) -> None:
        self._create_thread(owner, body, key)

    @rule(asker=askers, at=picks)
    def retrieve_thread(self, asker: str, at: int) -> None:
        self._on(asker, "retrieve_thread", self._thread(at))

    @rule(asker=askers, at=picks, body=_thread_changes)
    def modify_thread(self, asker: str, at: int, body: Body) -> None:
        self._on(asker, "modify_thread", self._thread(at), body=body)

    @rule(asker=askers, at=picks)
    def delete_thread(self, asker: str, at: int) -> None:
        if at % 4 == 3:  # else few objects would exist for long
            self._on(asker, "delete_thread", self._thread(at))

    @rule(owner=owners, query=pages, ends=ends, user=st.none() | _users)
    def list_threads(self, owner: str, query: Body, ends: Body, user: str | None) -> None:
        filtered = {} if user is None else {f"metadata[{INDEXED}]": user}
        self._list_threads(owner, query | {name: self._thread(at) for name, at in ends.items()} | filtered)

    # Requests on messages

    @rule(asker=askers, at=picks, body=messages, key=keys)
    def create_message(self, asker: str, at: int, body: Body, key: str | None) -> None:
        self._create_message(asker, self._thread(at), body, key)

    @rule(at=picks, body=_of_a_run, key=keys)
    def create_message_of_a_run(self, at: int, body: Body, key: str | None) -> None:
        self._create_message("trusted", self._thread(at), body, key)

    @rule(asker=askers, at=picks)
    def create_a_large_message(self, asker: str, at: int) -> None:
        if self._large < 4 and at % 4 == 0:  # with more, the limit of a response's bytes would cut a page
            self._large += 1
            self._create_message(asker, self._thread(at), {"role": "user", "content": _LARGE}, None)

    @rule(asker=askers, at=picks)
    def retrieve_message(self, asker: str, at: int) -> None:
        self._on(asker, "retrieve_message", *self._message(at))

    @rule(asker=askers, at=picks, body=_message_changes)
    def modify_message(self, asker: str, at: int, body: Body) -> None:
        self._on(asker, "modify_message", *self._message(at), body=body)

    @rule(asker=askers, at=picks)
    def delete_message(self, asker: str, at: int) -> None:
        self._on(asker, "delete_message", *self._message(at))

    @rule(asker=askers, at=picks, query=pages, ends=ends, run=st.sampled_from([{}, {"run_id": "run_1"}]))
    def list_messages(self, asker: str, at: int, query: Body, ends: Body, run: Body) -> None:
        cursors = {name: self._message(place)[1] for name, place in ends.items()}
        self._on(asker, "list_messages", self._thread(at), query=query | cursors | run)

    # What is neither

    @rule(owner=owners, which=st.sampled_from(_REFUSED))
    def ask_for_what_is_refused(self, owner: str, which: tuple[str, list[str], Any, str]) -> None:
        function, ids, body, query = which
        came = self._ask(owner, function, *ids, body=body, query=query)
        assert came.answer.error[0] == 400

    @rule(seconds=st.sampled_from(_SECONDS))
    def move_the_clock(self, seconds: float) -> None:
        if self._clock:
            self._clock.forward(seconds)

    @rule()
    def erase(self) -> None:
        """Run the work that follows deletions. No response may show it."""
        if self._clock:
            for project, thread_id in self._model.threads:
                _erase(project, thread_id)

    @invariant()
    def is_counted(self) -> None:
        self.world.steps["step"] += 1

    # How a request is made and compared

    def _create_thread(self, owner: str, body: Body, key: str | None) -> None:
        came = self._ask(owner, "create_thread", body=body, key=key)
        project = self._project(owner)
        reply = self._model.create_thread(project, body, key, came)
        self._compare(came, reply)
        if body.get("messages") and not reply.replayed and reply.status == 200:
            thread_id = came.answer.body["id"]
            self._adopt(thread_id)

    def _adopt(self, thread_id: str) -> None:
        """Learn the ids of messages that another create made, and compare the list with them."""
        project = self._project(self._owner("own", thread_id))
        listed = self._ask(self._owner("own", thread_id), "list_messages", thread_id, query={"limit": "10"})
        self._model.adopt(project, thread_id, listed.answer.body["data"][::-1])
        self._messages += [one for one in self._model.messages(project, thread_id) if one not in self._messages]
        self._on("own", "list_messages", thread_id, query={"order": "asc"})

    def _create_message(self, asker: str, thread_id: str, body: Body, key: str | None) -> None:
        owner = self._owner(asker, thread_id)
        came = self._ask(owner, "create_message", thread_id, body=body, key=key)
        trusted = self._keys[owner].trusted
        reply = self._model.create_message(self._project(owner), thread_id, body, key, came, trusted=trusted)
        self._compare(came, reply)
        if reply.status == 200:
            self._messages.append(came.answer.body["id"])

    def _list_threads(self, owner: str, query: dict[str, str]) -> None:
        came = self._ask(owner, "list_threads", query=query)
        self._compare(came, self._model.list_threads(self._project(owner), query, came.began))

    def _on(self, asker: str, function: str, *ids: str, **options: Any) -> None:
        """Call an operation on a thread or message, which may not exist, and compare the response."""
        owner = self._owner(asker, ids[0])
        came = self._ask(owner, function, *ids, **options)
        reply = getattr(self._model, function)(self._project(owner), *ids, *options.values(), came.began)
        self._compare(came, reply)

    def _look_at_all(self) -> None:
        """List everything, and check the stored items, at a time when no clock is behind."""
        if self._clock:
            self._clock.forward(10)
        for _, thread_id in self._model.threads:
            self._on("own", "list_messages", thread_id, query={"limit": "100"})
        if self._clock:
            for owner in ("plain", "other"):
                self._list_threads(owner, {"limit": "100"})
                check_project(self._project(owner))
                check_assistants(self._project(owner))

    def _ask(self, owner: str, function: str, *ids: str, key: str | None = None, **options: Any) -> Came:
        self.world.steps[function] += 1
        headers = {"idempotency-key": key} if key else {}
        call = self.world.call or runs.call
        began = time.time()
        answer = call(self._keys[owner], function, *ids, headers=headers, **options)
        return Came(answer, began, time.time())

    def _compare(self, came: Came, reply: Reply) -> None:
        answer = came.answer
        self.world.steps[f"answer {answer.status}"] += 1
        replayed = answer.headers.get("idempotent-replayed") == "true"
        self._differs = (answer.status, answer.text, replayed) != reply
        assert not self._differs, f"came {answer.status}: {answer.text}\nmust be {reply.status}: {reply.text}"

    def _owner(self, asker: str, own_id: str) -> str:
        known = [*self._model.threads, *self._model.assistants]
        of = next((project for project, known_id in known if known_id == own_id), "")
        is_other = of == self._project("other")
        return {"own": "other" if is_other else "plain", "foreign": "plain" if is_other else "other"}.get(asker, asker)

    def _project(self, owner: str) -> str:
        return self._keys[owner].project

    def _thread(self, at: int) -> str:
        """Return the id of a thread: mostly one that exists, newest first, else any earlier or an unknown one."""
        open_ones = self._model.open_threads(time.time())
        if not open_ones:
            self._create_thread("trusted" if at % 2 else "other", {}, None)
            open_ones = self._model.open_threads(time.time())
        ever = [thread_id for _, thread_id in self._model.threads]
        chosen = [NOWHERE, *ever] if at % 6 == 5 else [thread_id for _, thread_id in open_ones]
        return chosen[::-1][at // 6 % len(chosen)]

    def _message(self, at: int) -> tuple[str, str]:
        """Return a thread and a message: mostly one that exists, newest first, else any earlier or an unknown one."""
        there = [
            (thread_id, message_id)
            for project, thread_id in self._model.open_threads(time.time())
            for message_id in self._model.messages(project, thread_id)
        ]
        if at % 6 == 5:
            return self._thread(at // 6), [NOTHING, *self._messages][::-1][at // 6 % (len(self._messages) + 1)]
        if not there:
            thread_id = self._thread(0)
            self._create_message("own", thread_id, {"role": "user", "content": "made to be looked at"}, None)
            return thread_id, (self._messages or [NOTHING])[-1]
        return there[::-1][at // 6 % len(there)]


def _new_clients() -> dict[str, Client]:
    plain = Client()
    return {"plain": plain, "trusted": Client(project=plain.project, trusted=True), "other": Client()}


@contextmanager
def _clock() -> Iterator[Clock]:
    """Set a clock, a retention of some days, and random bytes that repeat with the run."""
    drawn, real = random.Random(7), os.urandom
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(VARIABLES, "RETENTION_DAYS", str(RETENTION_DAYS))
        # A token has 16 random bytes, and DynamoDB remembers it beyond a run. An id has 8 or 10.
        patch.setattr(os, "urandom", lambda size: drawn.randbytes(size) if size in (8, 10) else real(size))
        yield Clock(patch)


def _erase(project: str, thread_id: str) -> None:
    from shared.store import erasure, keys, table

    table.set_deadline(60)
    assert erasure.erase_thread(keys.thread_partition(project, thread_id), time.monotonic() + 60)
