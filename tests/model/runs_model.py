"""The contract of assistants and runs as a plain model in memory. It extends the model of threads and messages.

Values that the server chooses (ids of steps and messages, times of a worker) are `LEARNED` until `learn` reads them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.model.model import Body, Came, Model, Reply, created_at, new_message, no_thread, ordered, page_of, refusal
from tests.support import expected
from tests.support.expected import compact
from tests.support.expected_runs import (
    DEFAULTS,
    USAGE,
    assistant_object,
    call_object,
    of_calls,
    of_message,
    run_object,
    step_object,
)

LEARNED = "learned"
_ACTIVE = ("queued", "in_progress", "requires_action")
_OF_BOTH = ("model", "tools", "tool_resources", "temperature", "top_p", "reasoning_effort", "response_format")
_ENDED_AT = {
    "cancelled": "cancelled_at",
    "failed": "failed_at",
    "completed": "completed_at",
    "incomplete": "completed_at",
}


@dataclass
class Run:
    """A run: its latest object, its steps, and the tokens of its model calls."""

    shown: Body
    steps: list[Body] = field(default_factory=list)
    calls: int = 0

    def tool_calls(self) -> list[Body]:
        """Return the calls of all steps, oldest first."""
        return [call for step in self.steps for call in step["step_details"].get("tool_calls", [])]

    def end(self, status: str) -> None:
        usage = {name: self.calls * value for name, value in USAGE.items()}
        self.shown |= {"status": status, "expires_at": None, "required_action": None, "usage": usage}
        if status in _ENDED_AT:
            self.shown[_ENDED_AT[status]] = LEARNED
        for step in self.steps:
            if step["status"] == "in_progress":
                step.update({"status": status, "usage": USAGE})
                step.update({"cancelled_at": LEARNED} if status == "cancelled" else {"expired_at": step["expires_at"]})


class RunsModel(Model):
    """All projects, with assistants and runs."""

    def __init__(self, retention: int = 0) -> None:
        super().__init__(retention)
        self.assistants: dict[tuple[str, str], Body | None] = {}
        self.runs: dict[tuple[str, str], list[Run]] = {}

    # Assistants

    def create_assistant(self, project: str, body: Body, came: Came) -> Reply:
        own_id, created = str(came.answer.body["id"]), created_at(came, 0)
        assert (project, own_id) not in self.assistants
        self.assistants[project, own_id] = shown = assistant_object({"id": own_id, "created_at": created}, _given(body))
        return Reply(200, compact(shown))

    def retrieve_assistant(self, project: str, assistant_id: str, _now: float) -> Reply:
        shown = self.assistants.get((project, assistant_id))
        return Reply(200, compact(shown)) if shown else _missing("assistant", assistant_id)

    def modify_assistant(self, project: str, assistant_id: str, body: Body, now: float) -> Reply:
        shown = self.assistants.get((project, assistant_id))
        if shown:
            shown |= _given(body)
        return self.retrieve_assistant(project, assistant_id, now)

    def delete_assistant(self, project: str, assistant_id: str, _now: float) -> Reply:
        if not self.assistants.get((project, assistant_id)):
            return _missing("assistant", assistant_id)
        self.assistants[project, assistant_id] = None
        return Reply(200, compact({"id": assistant_id, "object": "assistant.deleted", "deleted": True}))

    def list_assistants(self, project: str, query: dict[str, str], _now: float) -> Reply:
        return page_of(
            [shown for (owner, _), shown in sorted(self.assistants.items()) if owner == project and shown], query
        )

    # Runs

    def create_message(
        self, project: str, thread_id: str, body: Body, key: str | None, came: Came, *, trusted: bool = True
    ) -> Reply:
        """Create a message. While a run is active, only a trusted key can do this."""
        run_id = "" if trusted else self.active_run(project, thread_id, came.began)
        is_repeat = self._repeat((project, thread_id, key or ""), body, came.began)
        if run_id and self._open(project, thread_id, came.began) and not is_repeat:
            return refusal(f"Can't add messages to {thread_id} while a run {run_id} is active.")
        return super().create_message(project, thread_id, body, key, came)

    def create_run(self, project: str, thread_id: str, body: Body, key: str | None, came: Came) -> Reply:
        thread = self._open(project, thread_id, came.began)
        assistant = self.assistants.get((project, body["assistant_id"]))
        if not thread or not assistant:
            return _unknown(body["assistant_id"]) if thread else no_thread(thread_id)
        scope = (project, thread_id, f"run\n{key}" if key else "")
        if repeat := self._repeat(scope, body, came.began):
            return repeat
        if active := self.active_run(project, thread_id, came.began):
            return refusal(f"Thread {thread_id} already has an active run {active}.")
        messages = body.get("additional_messages") or []
        run, reply = self._new_run(thread_id, body, assistant, came, is_empty=not (messages or thread.last_id))
        if not run:
            return reply
        runs = self.runs.setdefault((project, thread_id), [])
        assert not runs or runs[-1].shown["id"] < run.shown["id"]
        runs.append(run)
        thread.active = int(came.ended)
        thread.messages += [new_message(thread_id, "", 0, message) for message in messages]
        return self._first(scope, body, came.began, reply.text)

    def create_thread_and_run(self, project: str, body: Body, key: str | None, came: Came) -> Reply:
        assistant = self.assistants.get((project, body["assistant_id"]))
        if not assistant:
            return _unknown(body["assistant_id"])
        scope = (project, "", f"run\n{key}" if key else "")
        asked = body.get("thread") or {}
        if (repeat := self._repeat(scope, body, came.began)) or came.answer.status != 200:
            return repeat or self._new_run("", body, assistant, came, is_empty=not asked.get("messages"))[1]
        thread_id, created = came.answer.body["thread_id"], came.answer.body["created_at"]
        run, reply = self._new_run(thread_id, body, assistant, came, is_empty=not asked.get("messages"))
        if run:
            shown = compact({"id": thread_id, "created_at": created})
            self.create_thread(project, asked, None, came._replace(answer=replace(came.answer, text=shown)))
            self.runs[project, thread_id] = [run]
        return self._first(scope, body, came.began, reply.text) if run else reply

    def retrieve_run(self, project: str, thread_id: str, run_id: str, now: float) -> Reply:
        return self._on_run(project, thread_id, run_id, now, lambda run: Reply(200, compact(run.shown)))

    def list_runs(self, project: str, thread_id: str, query: dict[str, str], now: float) -> Reply:
        if not self._open(project, thread_id, now):
            return no_thread(thread_id)
        self.active_run(project, thread_id, now)
        return page_of([run.shown for run in self.runs.get((project, thread_id), [])], query)

    def modify_run(self, project: str, thread_id: str, run_id: str, body: Body, now: float) -> Reply:
        def modify(run: Run) -> Reply:
            if run.shown["status"] in ("queued", "in_progress"):
                return refusal(f"Cannot update run with status '{run.shown['status']}'.")
            run.shown |= ordered({"metadata": body["metadata"] or {}}) if "metadata" in body else {}
            return Reply(200, compact(run.shown))

        return self._on_run(project, thread_id, run_id, now, modify)

    def cancel_run(self, project: str, thread_id: str, run_id: str, now: float) -> Reply:
        def cancel(run: Run) -> Reply:
            if run.shown["status"] not in _ACTIVE:
                return refusal(f"Cannot cancel run with status '{run.shown['status']}'.")
            reply = Reply(200, compact(run.shown | {"status": "cancelling"}))
            run.end("cancelled")
            self._threads[project, thread_id].active = int(now)
            return reply

        return self._on_run(project, thread_id, run_id, now, cancel)

    def submit_tool_outputs(self, project: str, thread_id: str, run_id: str, body: Body, now: float) -> Reply:
        def submit(run: Run) -> Reply:
            if run.shown["status"] != "requires_action":
                return refusal(f'Runs in status "{run.shown["status"]}" do not accept tool outputs.')
            got = [output["tool_call_id"] for output in body["tool_outputs"]]
            (call,) = run.steps[-1]["step_details"]["tool_calls"]
            if got != [call["id"]]:
                return refusal(f"Expected tool outputs for call_ids {[call['id']]}, got {got}")
            call["function"]["output"] = body["tool_outputs"][0]["output"]
            run.steps[-1] |= {"status": "completed", "completed_at": LEARNED, "usage": USAGE}
            run.shown |= {"status": "queued", "required_action": None}
            self._threads[project, thread_id].active = int(now)
            return Reply(200, compact(run.shown))

        return self._on_run(project, thread_id, run_id, now, submit)

    def list_run_steps(self, project: str, thread_id: str, run_id: str, query: dict[str, str], now: float) -> Reply:
        return self._on_run(project, thread_id, run_id, now, lambda run: page_of(run.steps, query))

    def retrieve_run_step(self, project: str, thread_id: str, run_id: str, step_id: str, now: float) -> Reply:
        def retrieve(run: Run) -> Reply:
            step = next((step for step in run.steps if step["id"] == step_id), None)
            return Reply(200, compact(step)) if step else _missing("run step", step_id)

        return self._on_run(project, thread_id, run_id, now, retrieve)

    def all_runs(self) -> list[Run]:
        """Return the runs of all threads."""
        return [run for runs in self.runs.values() for run in runs]

    # What no request does

    def execute(self, project: str, thread_id: str, run_id: str, says: str, now: float) -> None:
        """Let the worker take the run's queue message and get this reply. Nothing happens if the run is not queued."""
        thread, run = self._open(project, thread_id, now), self._find(project, thread_id, run_id, now)
        if not thread or not run or run.shown["status"] != "queued":
            return
        run.shown["started_at"] = run.shown["started_at"] or LEARNED
        thread.active = int(now)
        if says == "fails":
            run.shown["last_error"] = LEARNED
            run.end("failed")
            return
        run.calls += 1
        if says == "calls":
            # If the run already has a call with this id, the server replaces the id.
            own_id = LEARNED if any(call["id"] == "call_1" for call in run.tool_calls()) else "call_1"
            run.shown |= {"status": "requires_action"}
            run.shown["required_action"] = {
                "type": "submit_tool_outputs",
                "submit_tool_outputs": {"tool_calls": [call_object(own_id, "{}")]},
            }
            details = of_calls(call_object(own_id, "{}", output=None))
            open_step = {"status": "in_progress", "completed_at": None, "usage": None}
            run.steps.append(step_object(run.shown, {"id": LEARNED, "created_at": LEARNED}, details, **open_step))
            return
        answer = new_message(thread_id, "", 0, {"role": "assistant", "content": says, "run_id": run_id})
        thread.messages.append(answer | {"assistant_id": run.shown["assistant_id"], "completed_at": LEARNED})
        details = of_message({"id": LEARNED})
        step = {"id": LEARNED, "created_at": LEARNED}
        run.steps.append(step_object(run.shown, step, details, completed_at=LEARNED))
        run.end("completed")

    def learn(self, project: str, thread_id: str, shown: Body, steps: list[Body], between: tuple[float, float]) -> None:
        """Learn the server's values from reads, with the oldest step first. Times lie between those of the call."""
        run = self._find(project, thread_id, shown["id"], between[0])
        assert run
        for told, found in ((run.shown, shown), *zip(run.steps, steps, strict=True)):
            for name in [name for name, value in told.items() if value == LEARNED]:
                told[name] = found[name]
                is_own_time = name.endswith("_at") and name != "created_at"
                assert not is_own_time or int(between[0]) <= found[name] <= int(between[1])
        for step in run.steps:
            if step["step_details"] == of_message({"id": LEARNED}):
                step["step_details"] = of_message(self._threads[project, thread_id].messages[-1])
        if any(call["id"] == LEARNED for call in run.tool_calls()):
            (asked,) = shown["required_action"]["submit_tool_outputs"]["tool_calls"]
            assert asked["id"] not in [call["id"] for call in run.tool_calls()]
            run.tool_calls()[-1]["id"] = asked["id"]
            run.shown["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"] = asked["id"]
        ids = [step["id"] for step in run.steps]
        assert ids == sorted({*ids})
        assert not shown["last_error"] or shown["last_error"]["code"] == "invalid_prompt"

    # What all share

    def _new_run(
        self, thread_id: str, body: Body, assistant: Body, came: Came, *, is_empty: bool
    ) -> tuple[Run | None, Reply]:
        given = {name: value for name, value in body.items() if value is not None}
        instructions = [given.get("instructions", assistant["instructions"]), given.get("additional_instructions")]
        fields = {name: given.get(name, assistant[name]) for name in _OF_BOTH}
        fields |= {"instructions": "\n".join(filter(None, instructions))}
        fields |= ordered({"metadata": given.get("metadata", {})})
        if is_empty and not fields["instructions"]:
            text = "Run creation requires a Thread with a user message or an assistant with instructions."
            return None, refusal(text, "invalid_thread")
        assert came.answer.status == 200, came.answer.text
        found = {"thread_id": thread_id, "assistant_id": body["assistant_id"]} | {
            name: came.answer.body[name] for name in ("id", "created_at")
        }
        run = Run(run_object(found, **fields))
        return run, Reply(200, compact(run.shown))

    def active_run(self, project: str, thread_id: str, now: float) -> str:
        """Return the id of a thread's active run. Runs whose time is over, or with a later run, expire here."""
        runs = self.runs.get((project, thread_id), [])
        for run in runs:
            is_over = run is not runs[-1] or run.shown["created_at"] + 600 <= int(now)
            if run.shown["status"] in _ACTIVE and is_over:
                run.end("expired")
        return runs[-1].shown["id"] if runs and runs[-1].shown["status"] in _ACTIVE else ""

    def _find(self, project: str, thread_id: str, run_id: str, now: float) -> Run | None:
        self.active_run(project, thread_id, now)
        return next((run for run in self.runs.get((project, thread_id), []) if run.shown["id"] == run_id), None)

    def _on_run(self, project: str, thread_id: str, run_id: str, now: float, do: Callable[[Run], Reply]) -> Reply:
        if not self._open(project, thread_id, now):
            return no_thread(thread_id)
        run = self._find(project, thread_id, run_id, now)
        return do(run) if run else _missing("run", run_id)


def _given(body: Body) -> Body:
    """Return the fields that a body sets on an assistant. null means the default."""
    return {name: DEFAULTS[name] if value is None else value for name, value in body.items()}


def _unknown(assistant_id: str) -> Reply:
    return refusal(expected.no_assistant_to_run(assistant_id)["error"]["message"], status=404)


def _missing(kind: str, own_id: str) -> Reply:
    return refusal(f"No {kind} found with id '{own_id}'.", status=404)
