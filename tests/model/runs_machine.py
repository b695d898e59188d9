"""Makes random requests on assistants and runs, among those on threads and messages (tests/model/machine.py).

The worker is a separate rule, with random replies of the model. Over HTTP nobody controls when a server's worker runs,
so there are only assistants and no runs.
"""

import os
import time
from collections import Counter
from contextlib import nullcontext
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.model import machine
from tests.model.machine import Body, Wire, World
from tests.support.chat_stub import Chat, Reply, calls, fails, says
from tests.support.refusals import NOWHERE
from tests.support.runs import WEATHER, with_model, work

_NO_ASSISTANT, _NO_RUN = "asst_00000000000000000000000000", "run_00000000000000000000000000"
_REPLIES: dict[str, Reply] = {
    "Sunny.¶": says("Sunny.¶"),
    "calls": calls(("call_1", "get_weather", "{}")),
    "fails": fails(400),
}
_optional = {
    "instructions": st.sampled_from([None, "", "Be brief."]),
    "metadata": machine.metadata | st.none(),
    "tools": st.sampled_from([[], [WEATHER], [{"type": "file_search"}]]),
    "temperature": st.sampled_from([None, 0.0, 0.5]),
    "response_format": st.sampled_from(["auto", {"type": "json_object"}]),
}
_assistants = st.fixed_dictionaries(
    {"model": st.sampled_from(["gpt-4o", "m"])}, optional=_optional | {"name": machine.words}
)
_assistant_changes = st.fixed_dictionaries({}, optional=_optional | {"description": machine.words | st.none()})
_runs = st.fixed_dictionaries({}, optional=_optional | {"model": st.just("gpt-5")})
_more = st.fixed_dictionaries(
    {},
    optional={
        "additional_instructions": machine.words | st.none(),
        "additional_messages": st.lists(machine.messages, max_size=3) | st.none(),
    },
)
_thread = st.fixed_dictionaries({}, optional={"thread": machine.threads | st.none()})
_run_changes = st.fixed_dictionaries({}, optional={"metadata": machine.metadata | st.none()})
_outputs = st.sampled_from(["call_1"] * 4 + ["call_2"]).map(
    lambda own_id: [{"tool_call_id": own_id, "output": "sunny"}]
)


class WireOfRuns(Wire):
    """One run of requests on assistants, threads, messages and runs."""

    chat: Chat | None = None

    @rule(owner=machine.owners, body=_assistants)
    def create_assistant(self, owner: str, body: Body) -> None:
        came = self._ask(owner, "create_assistant", body=body)
        self._compare(came, self._model.create_assistant(self._project(owner), body, came))

    @rule(
        asker=machine.askers,
        at=machine.picks,
        body=_assistant_changes,
        operation=st.sampled_from(["retrieve", "modify", "delete"]),
    )
    def ask_for_an_assistant(self, asker: str, at: int, body: Body, operation: str) -> None:
        options = {"body": body} if operation == "modify" else {}
        if operation != "delete" or at % 4 == 3:
            self._on(asker, f"{operation}_assistant", self._assistant(at), **options)

    @rule(owner=machine.owners, query=machine.pages, ends=machine.ends)
    def list_assistants(self, owner: str, query: Body, ends: Body) -> None:
        query |= {name: self._assistant(at) for name, at in ends.items()}
        came = self._ask(owner, "list_assistants", query=query)
        self._compare(came, self._model.list_assistants(self._project(owner), query, came.began))

    @rule(asker=machine.askers, at=machine.picks, body=_runs, more=_more, key=machine.keys)
    def create_run(self, asker: str, at: int, body: Body, more: Body, key: str | None) -> None:
        thread_id = self._thread(at)
        owner = self._owner(asker, thread_id)
        body = {"assistant_id": self._assistant(at, owner)} | body | more
        if self.chat:
            came = self._ask(owner, "create_run", thread_id, body=body, key=key)
            self._compare(came, self._model.create_run(self._project(owner), thread_id, body, key, came))
            if came.answer.status == 200 and more.get("additional_messages"):
                self._adopt(thread_id)

    @rule(owner=machine.owners, at=machine.picks, body=_runs, thread=_thread, key=machine.keys)
    def create_thread_and_run(self, owner: str, at: int, body: Body, thread: Body, key: str | None) -> None:
        body = {"assistant_id": self._assistant(at, owner)} | body | thread
        if self.chat:
            came = self._ask(owner, "create_thread_and_run", body=body, key=key)
            reply = self._model.create_thread_and_run(self._project(owner), body, key, came)
            self._compare(came, reply)
            if came.answer.status == 200 and not reply.replayed:
                self._adopt(came.answer.body["thread_id"])

    @rule(
        asker=machine.askers,
        at=machine.picks,
        operation=st.sampled_from(["retrieve_run", "list_run_steps", "retrieve_run_step"]),
    )
    def read_a_run(self, asker: str, at: int, operation: str) -> None:
        thread_id, run_id = self._run(at)
        steps = [step["id"] for run in self._model.all_runs() for step in run.steps] or ["step_1"]
        options = {"query": {"order": "asc"}} if operation == "list_run_steps" else {}
        self._on(asker, operation, thread_id, run_id, *[steps[-1]] * operation.endswith("_step"), **options)

    @rule(asker=machine.askers, at=machine.picks, query=machine.pages, ends=machine.ends)
    def list_runs(self, asker: str, at: int, query: Body, ends: Body) -> None:
        cursors = {name: self._run(place)[1] for name, place in ends.items()}
        self._on(asker, "list_runs", self._run(at)[0], query=query | cursors)

    @rule(asker=machine.askers, at=machine.picks, body=_run_changes)
    def modify_run(self, asker: str, at: int, body: Body) -> None:
        self._on(asker, "modify_run", *self._run(at), body=body)

    @rule(asker=machine.askers, at=machine.picks)
    def cancel_run(self, asker: str, at: int) -> None:
        self._move(asker, "cancel_run", *self._run(at))

    @rule(asker=machine.askers, at=machine.picks, outputs=_outputs)
    def submit_tool_outputs(self, asker: str, at: int, outputs: list[Body]) -> None:
        self._move(asker, "submit_tool_outputs", *self._run(at), body={"tool_outputs": outputs})

    @rule(at=machine.picks, reply=st.sampled_from([*_REPLIES, "calls"]))
    def execute(self, at: int, reply: str) -> None:
        """Deliver the queue message of a run, which may or may not be queued."""
        thread_id, run_id = self._run(at)
        if self.chat:
            self.chat.replies = [_REPLIES[reply]]
            self._move("own", reply, thread_id, run_id)

    def _move(self, asker: str, what: str, thread_id: str, run_id: str, **options: Any) -> None:
        """Let a request or the worker change a run's status, and learn the ids that this created."""
        project, began = self._project(self._owner("own", thread_id)), time.time()
        if what in _REPLIES:
            work(project, {"thread_id": thread_id, "id": run_id})
            self._model.execute(project, thread_id, run_id, what, began)
        else:
            self._on(asker, what, thread_id, run_id, **options)
        between = (began, time.time())
        shown = self._ask(self._owner("own", thread_id), "retrieve_run", thread_id, run_id).answer
        if shown.status == 200:
            self._adopt(thread_id)
            steps = self._ask(
                self._owner("own", thread_id), "list_run_steps", thread_id, run_id, query={"order": "asc"}
            ).answer
            self._model.learn(project, thread_id, shown.body, steps.body["data"], between)
        self._on("own", "retrieve_run", thread_id, run_id)
        self._on("own", "list_run_steps", thread_id, run_id, query={"order": "asc"})

    def _assistant(self, at: int, owner: str = "") -> str:
        """Return the id of an assistant. It mostly exists, and is one of the owner's if there is an owner.

        Otherwise it may be deleted, belong to another project, or be unknown.
        """
        if not self._model.assistants:
            self.create_assistant("trusted", {"model": "gpt-4o", "tools": [WEATHER], "instructions": "Be brief."})
        there = [
            own_id
            for (project, own_id), shown in self._model.assistants.items()
            if shown and (not owner or project == self._project(owner))
        ]
        ever = [own_id for _, own_id in self._model.assistants]
        chosen = [_NO_ASSISTANT, *ever] if at % 6 == 5 or not there else there
        return chosen[::-1][at // 6 % len(chosen)]

    def _run(self, at: int) -> tuple[str, str]:
        """Return the ids of a thread and a run, mostly of an active run. The lowest `at` means the newest.

        Otherwise the run is any run, an unknown one if there are none, or a run of another thread.
        """
        found = [(thread_id, run.shown) for (_, thread_id), runs in self._model.runs.items() for run in runs]
        active = [one for one in found if one[1]["expires_at"]] if at % 6 < 4 else []
        chosen = (active or found or [(NOWHERE, {"id": _NO_RUN})])[::-1]
        thread_id, shown = chosen[at // 6 % len(chosen)]
        return (self._thread(at) if at % 6 == 5 else thread_id), shown["id"]


def run(world: World, of: int, examples: int, steps: int = 50) -> Counter[str]:
    """Run the machine this often with this seed. Return the requests and responses. Raises at the first difference."""
    # Shrinking takes minutes; the seed repeats the run.
    phases = (Phase.generate, Phase.shrink) if os.environ.get("SHRINK") else (Phase.generate,)
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=phases,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    with with_model("Hello") if world.clients is None else nullcontext() as chat:
        kind = seed(of)(type("WireOfRuns", (WireOfRuns,), {"world": world, "chat": chat}))
        run_state_machine_as_test(kind, settings=chosen)
    return world.steps
