"""A stream in the worker's process, as in the local API. Deltas come as the model sends them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import expected
from tests.support.chat_stub import Chat, Reply, calls, refuses, says
from tests.support.client import Client
from tests.support.event_stream import DONE, Event, live
from tests.support.expected_runs import NO_USAGE
from tests.support.runs import WEATHER, Runs, calls_of

_SECONDS = 10.0


@dataclass
class Stream:
    """A stream of a run that is being executed. `events` are its events. `gate` lets the model send its next chunks."""

    events: Iterator[Event]
    gate: threading.Semaphore

    def begin(self) -> list[Event]:
        """Let the model send its first text. Return the events up to its delta."""
        self.gate.release(2)
        return [next(self.events) for _ in BEGINS]

    def finish(self) -> list[Event]:
        """Let the model send the rest. Return the rest of the events."""
        self.gate.release(100)
        return [*self.events]


@contextmanager
def streaming(runs: Runs, chat: Chat, reply: Reply, *ids: str, **body: Any) -> Iterator[Stream]:
    """Create a run, or submit outputs to a run. Let its worker call a model that waits before each chunk."""
    gate = threading.Semaphore(0)

    def wait() -> None:
        if not gate.acquire(timeout=_SECONDS):
            raise ConnectionError  # the stream has waited for more chunks than the test allows

    chat.replies = [Reply(reply.chunks, between=wait)]
    if ids:
        stream = Stream(live(runs, "submit_tool_outputs", *ids, body=body), gate)
        run = runs.create("retrieve_run", *ids)
    else:
        body = {"assistant_id": runs.assistant(tools=[WEATHER])}
        stream = Stream(live(runs, "create_run", runs.thread(), body=body), gate)
        _, run = next(stream.events)
    working = threading.Thread(target=runs.execute, args=(run,))
    working.start()
    try:
        yield stream
    finally:
        gate.release(100)
        working.join(_SECONDS)


@pytest.fixture(autouse=True)
def _is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.runs import live as live_answers
    from shared.runs import stream

    monkeypatch.setattr(live_answers, "_enabled", threading.Event())
    live_answers.enable()
    monkeypatch.setattr(stream, "_PAUSE_SECONDS", 0.02)


def names(events: list[Event]) -> list[str]:
    return [name for name, _ in events]


def texts(events: list[Event]) -> list[str]:
    """Return the texts of the deltas among events."""
    deltas = [data["delta"]["content"][0] for name, data in events if name == "thread.message.delta"]
    return [delta["text"]["value"] for delta in deltas]


BEGINS = [
    "thread.run.queued",
    "thread.run.in_progress",
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.message.created",
    "thread.message.in_progress",
    "thread.message.delta",
]
ENDS = ["thread.message.completed", "thread.run.step.completed", "thread.run.completed", "done"]


def test_a_delta_comes_while_the_model_still_writes(runs: Runs, chat: Chat) -> None:
    with streaming(runs, chat, says("Hel", "lo")) as stream:
        first = stream.begin()
        assert (names(first), texts(first)) == (BEGINS, ["Hel"])
        rest = stream.finish()

    assert (names(rest), texts(rest)) == (["thread.message.delta", *ENDS], ["lo"])
    begun, message = first[4][1], rest[1][1]
    stored = runs.client.page(message["thread_id"])["data"][0]
    assert message == stored
    assert begun == stored | {"content": [], "status": "in_progress", "completed_at": None}
    (step,) = runs.steps(rest[3][1])
    assert rest[2][1] == step
    assert first[2][1] == first[3][1] == step | {"status": "in_progress", "completed_at": None, "usage": None}
    assert first[6][1]["delta"]["content"][0]["text"] == {"value": "Hel", "annotations": []}
    assert rest[0][1]["delta"]["content"][0]["text"] == {"value": "lo"}


def test_text_before_calls_is_a_message_of_its_own(runs: Runs, chat: Chat) -> None:
    with streaming(runs, chat, calls(("call_1", "get_weather", "{}"), text="I look.")) as stream:
        events = stream.finish()

    turn = ["thread.run.step.created", "thread.run.step.in_progress", *["thread.run.step.delta"] * 2]
    assert names(events) == [*BEGINS, *ENDS[:2], *turn, "thread.run.requires_action", "done"]
    run = events[-2][1]
    outputs = [{"tool_call_id": calls_of(run)[0]["id"], "output": "sunny"}]
    ids = (run["thread_id"], run["id"])
    with streaming(runs, chat, says("Sunny."), *ids, tool_outputs=outputs) as stream:
        events = stream.finish()
    assert names(events) == ["thread.run.step.completed", *BEGINS, *ENDS]
    assert texts(events) == ["Sunny."]


def test_a_refusal_after_text_is_the_second_part(runs: Runs, chat: Chat) -> None:
    with streaming(runs, chat, Reply([*says("Hm.").chunks[:2], *refuses("No.").chunks])) as stream:
        events = stream.finish()

    message = events[-4][1]
    assert names(events) == [*BEGINS, "thread.message.delta", *ENDS]
    assert events[7][1]["delta"] == {"content": [{"index": 1, "type": "refusal", "refusal": "No."}]}
    assert [part["type"] for part in message["content"]] == ["text", "refusal"]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_message_that_had_begun_is_shown_as_incomplete_and_not_stored(runs: Runs, chat: Chat, status: str) -> None:
    reply = says("Half", finish="stop" if status == "cancelled" else None, usage=None)
    with streaming(runs, chat, reply) as stream:
        begun = stream.begin()
        run = begun[1][1]
        if status == "cancelled":
            runs.create("cancel_run", run["thread_id"], run["id"])
        rest = stream.finish()

    ended = runs.read(run)
    assert ended["status"] == status
    failure = {"last_error": ended["last_error"], "failed_at": ended["failed_at"]} if status == "failed" else {}
    cancelling = [("thread.run.cancelling", run | {"status": "cancelling"})] if status == "cancelled" else []
    message, step = begun[4][1], begun[2][1]
    half = [expected.text("Half")]
    incomplete = {"status": "incomplete", "incomplete_at": message["created_at"], "content": half}
    incomplete |= {"incomplete_details": {"reason": f"run_{status}"}}
    closed = {"status": status, "cancelled_at": ended["cancelled_at"], "usage": NO_USAGE, **failure}
    assert rest == [
        *cancelling,
        ("thread.message.incomplete", message | incomplete),
        (f"thread.run.step.{status}", step | closed),
        (f"thread.run.{status}", ended),
        DONE,
    ]
    assert runs.steps(run) == []
    assert len(runs.client.page(run["thread_id"])["data"]) == 1


def test_no_step_has_the_code_of_an_invalid_prompt(runs: Runs, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "400"}}
    with streaming(runs, chat, Reply([*says("Half").chunks[:2], error])) as stream:
        stream.begin()
        events = stream.finish()

    step, run = events[-3][1], events[-2][1]
    assert (run["last_error"]["code"], step["last_error"]["code"]) == ("invalid_prompt", "server_error")


def test_a_stream_ends_with_an_error_when_its_message_got_another_id(runs: Runs, chat: Chat, trusted: Client) -> None:
    with streaming(Runs(trusted), chat, says("Hello")) as stream:
        begun = stream.begin()
        run = begun[1][1]
        time.sleep(0.002)  # else the message could have the same millisecond and a lower id
        trusted.message(run["thread_id"])
        rest = stream.finish()

    message = (
        "The message of this stream got another id, because another message was added meanwhile. "
        f"The run {run['id']} goes on. Retrieve it to see its end."
    )
    assert rest == [("error", expected.error(message, None, "stream_ended", "server_error"))]
    newest = trusted.page(run["thread_id"])["data"][0]
    assert (newest["run_id"], newest["content"]) == (run["id"], [expected.text("Hello")])


def test_a_reader_that_goes_away_changes_nothing(runs: Runs, chat: Chat) -> None:
    with streaming(runs, chat, says("Hello")) as stream:
        run = stream.begin()[1][1]
        del stream.events

    assert runs.read(run)["status"] == "completed"


def test_a_stream_waits_while_the_table_is_out_of_the_workers_reach(
    runs: Runs, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has given up, and its answer is lost. The stream continues until the run ends."""
    from shared.runs import execution

    def give_up(*_: object) -> str:
        return "expired"

    monkeypatch.setattr(execution, "_finish", give_up)
    with streaming(runs, chat, says("Hello")) as stream:
        run = stream.begin()[1][1]
        timer = threading.Timer(0.2, runs.create, ("cancel_run", run["thread_id"], run["id"]))
        timer.start()
        rest = stream.finish()
        timer.join()

    assert names(rest) == [
        "thread.run.cancelling",
        "thread.message.incomplete",
        "thread.run.step.cancelled",
        "thread.run.cancelled",
        "done",
    ]
