"""The events of a stream as server-sent events. Each has a name and one object of the API in JSON."""

import json
from collections.abc import Iterator
from typing import Any

from shared.errors import WireError
from shared.records import Message, Thread
from shared.runs.records import Run, Step, ToolCall
from shared.runs.wire import run_json, step_json
from shared.wire import message_json, thread_json

DONE = "event: done\ndata: [DONE]\n\n"


def thread_created(thread: Thread) -> str:
    """Return the event of a new thread."""
    return _frame("thread.created", thread_json(thread))


def run_created(run: Run) -> str:
    """Return the event of a new run."""
    return _frame("thread.run.created", run_json(run))


def run_status(run: Run, calls: tuple[ToolCall, ...] = ()) -> str:
    """Return the event of a run's new status; `calls` are those whose outputs it waits for."""
    return _frame(f"thread.run.{run.status}", run_json(run, calls))


def step_begins(step: Step) -> Iterator[str]:
    """Yield the events of a step's beginning, whatever its status is now. Deltas follow with its calls."""
    begun = step_json(step._replace(status="in_progress", completed_at=None, cancelled_at=None, calls=()))
    yield _frame("thread.run.step.created", begun)
    yield _frame("thread.run.step.in_progress", begun)


def step_status(step: Step) -> str:
    """Return the event of a step that has ended."""
    return _frame(f"thread.run.step.{step.status}", step_json(step))


def step_deltas(step: Step) -> Iterator[str]:
    """Yield the deltas of a step that calls functions. The arguments have a delta of their own, as SDKs expect."""
    for index, call in enumerate(step.calls):
        function: dict[str, Any] = {"name": call.name, "arguments": "", "output": None}
        yield _step_delta(step.id, {"index": index, "id": call.id, "type": "function", "function": function})
        yield _step_delta(step.id, {"index": index, "type": "function", "function": {"arguments": call.arguments}})


def message_begins(message: Message) -> Iterator[str]:
    """Yield the events of a message's beginning, whatever its status is now. Deltas follow with its content."""
    data = message.data._replace(content="[]", status="in_progress", incomplete_details=None, completed_at=None)
    begun = message_json(message._replace(data=data))
    yield _frame("thread.message.created", begun)
    yield _frame("thread.message.in_progress", begun)


def message_status(message: Message) -> str:
    """Return the event of a message that is completed or incomplete."""
    return _frame(f"thread.message.{message.data.status}", message_json(message))


def text_delta(message_id: str, text: str, *, is_first: bool) -> str:
    """Return a delta of a message's text, which is its first content part."""
    value = {"value": text, "annotations": []} if is_first else {"value": text}
    return _message_delta(message_id, {"index": 0, "type": "text", "text": value})


def part_deltas(message: Message, begin: int) -> Iterator[str]:
    """Yield a delta for each content part of a message, from the index `begin` on."""
    for index, part in enumerate(json.loads(message.data.content)[begin:], begin):
        yield _message_delta(message.id, {"index": index, **part})


def error(wire_error: WireError) -> str:
    """Return the event that ends a stream before its run has ended. SDKs would ignore an error that is not nested."""
    return _frame("error", json.dumps(wire_error.body))


def _step_delta(step_id: str, call: dict[str, Any]) -> str:
    details = {"type": "tool_calls", "tool_calls": [call]}
    return _delta("thread.run.step.delta", step_id, {"step_details": details})


def _message_delta(message_id: str, part: dict[str, Any]) -> str:
    return _delta("thread.message.delta", message_id, {"content": [part]})


def _delta(event: str, object_id: str, delta: dict[str, Any]) -> str:
    return _frame(event, json.dumps({"id": object_id, "object": event, "delta": delta}, ensure_ascii=False))


def _frame(event: str, data: str) -> str:
    return f"event: {event}\ndata: {data}\n\n"
