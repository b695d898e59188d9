"""Streams of runs for tests: the events that a request for a stream gets."""

import importlib
import json
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from tests.support import canaries, fault_injection
from tests.support.client import Answer
from tests.support.fault_injection import Fault
from tests.support.runs import Runs

# An event: its name, and its data. The data is parsed JSON, or `[DONE]` in the last event.
Event = tuple[str, Any]
DONE: Event = ("done", "[DONE]")


def parse(frames: Iterable[str]) -> Iterator[Event]:
    """Yield the events of frames. Each frame must have its two lines. An empty frame means: nothing new."""
    for frame in filter(None, frames):
        event, data, *rest = frame.split("\n")
        assert (event[:7], data[:6], rest) == ("event: ", "data: ", ["", ""])
        yield event[7:], data[6:] if data == "data: [DONE]" else json.loads(data[6:])


def events_of(answer: Answer) -> list[Event]:
    """Return the events of a response that has all of them in its body, as on AWS."""
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8"), answer.text
    assert answer.text.endswith("\n\n")
    return [*parse(f"{frame}\n\n" for frame in answer.text[:-2].split("\n\n"))]


def streamed(runs: Runs, operation: str, *ids: str, meanwhile: Any = None, body: Any, **options: Any) -> list[Event]:
    """Ask for a stream and return its events. `meanwhile` is called before the stream first reads the run."""
    happens = [Fault("TransactWriteItems", fault_injection.after(meanwhile))] if meanwhile else []
    with fault_injection.inject(*happens):
        return events_of(runs.call(operation, *ids, body=body | {"stream": True}, **options))


def live(runs: Runs, operation: str, *ids: str, body: dict[str, Any]) -> Iterator[Event]:
    """Ask for a stream as the local API does, and yield its events as they come."""
    event = runs.event(operation, *ids, body=body | {"stream": True})
    canaries.note_body(event["body"])
    handler = importlib.import_module("functions.runs").handler
    result = handler(event, SimpleNamespace(aws_request_id="test", streams=True))
    assert (result["statusCode"], result["headers"]["content-type"]) == (200, "text/event-stream; charset=utf-8")
    return parse(result["body"])
