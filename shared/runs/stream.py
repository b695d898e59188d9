"""A run as a stream: follows the run's state, and sends the API's events for each change.

The run is executed like any other run. The stream reads the store, and also the live answer if the worker runs in this
process. If a stream ends early, its run still goes on.
"""

import json
import math
import time
from collections.abc import Generator, Iterator
from typing import NamedTuple

from shared import error_mapping, errors, ids
from shared.log import logger
from shared.records import Message, MessageData
from shared.responses import Response
from shared.runs import frames, live
from shared.runs.live import LiveAnswer
from shared.runs.records import Run, Step, ToolCall
from shared.runs.store import run_items, runs, steps
from shared.runs.wire_errors import wire_error
from shared.store import keys, messages, table, threads
from shared.store.errors import MessageNotFoundError

_PAUSE_SECONDS = 0.5
# The last read of a stream with a time limit may take this long: 28 seconds in all, less than the function's timeout of
# 29 seconds.
_SECONDS_OF_THE_LAST_READ = 4.0
# Lambda's limit for a response is 6,291,556 bytes; the rest is for the last event, the headers and the envelope.
_BYTES_OF_A_WHOLE_STREAM = 6_000_000
_HEADERS = {"content-type": "text/event-stream; charset=utf-8"}
_REASONS = {"failed": "run_failed", "cancelled": "run_cancelled", "expired": "run_expired"}

# Yields the first events of a stream. Returns the number of the run's steps that need no further events.
_Beginning = Generator[str, None, int]


def of_new_run(project: str, run: Run) -> Response:
    """Return the stream of a run from its beginning."""
    return _response(_creation(run), project, run)


def of_new_thread_and_run(project: str, run: Run) -> Response:
    """Return the stream of a run from the creation of its thread."""

    def begin() -> _Beginning:
        yield frames.thread_created(threads.retrieve(project, run.thread_id))
        return (yield from _creation(run))

    return _response(begin(), project, run)


def of_outputs(project: str, run: Run) -> Response:
    """Return the stream of a run from the outputs that were submitted last."""

    def begin() -> _Beginning:
        taken = [step for step in steps.load_all(project, run, run.steps) if step.calls and step.completed_at]
        yield from map(frames.step_status, taken[-1:])
        yield frames.run_status(_earlier(run, "queued"))
        return run.steps.index(taken[-1].id) + 1 if taken else len(run.steps)

    return _response(begin(), project, run)


def _creation(run: Run) -> _Beginning:
    queued = _earlier(run, "queued")._replace(started_at=None)
    yield frames.run_created(queued)
    yield frames.run_status(queued)
    return 0


def _response(begin: _Beginning, project: str, run: Run) -> Response:
    # All reads are part of the stream: the request has had its effect, and a 5xx would make an SDK send it again.
    def events(seconds: float) -> Iterator[str]:
        """Yield the events. After `seconds`, or when a whole response is full, the last event is an error."""
        until = time.monotonic() + seconds
        try:
            table.set_deadline()
            shown = yield from begin
            found = _Follower(project, run, shown, until).events()
            yield from found if math.isinf(seconds) else _limited(found, run.id)
        except Exception as error:  # noqa: BLE001 - the headers are sent: every error becomes the stream's last event
            mapped = wire_error(error, run.thread_id)
            if mapped is not error:
                # The line omits the error itself, whose text could contain content.
                logger.error("stream", extra={"cause": error_mapping.cause(error)})
            yield frames.error(mapped)

    return Response("", headers=_HEADERS, frames=events)


def _limited(events: Iterator[str], run_id: str) -> Iterator[str]:
    """Yield events. Raises `WireError` before an event that does not fit into a whole response."""
    total = 0
    for event in events:
        total += len(event.encode())
        if total > _BYTES_OF_A_WHOLE_STREAM:
            raise errors.stream_too_large(run_id)
        yield event


class _State(NamedTuple):
    """A run with the calls that it waits for, its new steps, and their messages by id, without deleted messages."""

    run: Run
    calls: tuple[ToolCall, ...]
    steps: list[Step]
    messages: dict[str, Message]


class _Follower:
    """Follows one run. `shown` is the number of its steps whose events were sent."""

    def __init__(self, project: str, run: Run, shown: int, until: float) -> None:
        self._project = project
        self._run = run
        self._shown = shown
        self._until = until
        self._shows_work = False
        self._answer: LiveAnswer | None = None
        self._sent = 0

    def events(self) -> Iterator[str]:
        """Yield the events until the run has ended or waits for outputs. Raises `WireError` when the time is up."""
        while True:
            state = self._read()
            yield from self._changes(state)
            if state.run.status not in ("queued", "in_progress"):
                yield from self._end(state)
                return
            if time.monotonic() >= self._until:
                raise errors.stream_ended(self._run.id)
            yield from self._live_text()
            yield ""  # no event: here the code that sends the events may stop

    def _read(self) -> _State:
        table.set_deadline()
        if math.isinf(self._until):
            return self._state()
        # If the table does not respond, the response must still end before the function's timeout.
        left = self._until + _SECONDS_OF_THE_LAST_READ - time.monotonic()
        return table.submit(self._state).result(max(left, 0))

    def _state(self) -> _State:
        run = runs.retrieve(self._project, self._run.thread_id, self._run.id)
        new = steps.load_all(self._project, run, run.steps[self._shown :])
        found: dict[str, Message] = {}
        for message_id in filter(None, (step.message_id for step in new)):
            try:
                found[message_id] = messages.retrieve(self._project, run.thread_id, message_id)
            except MessageNotFoundError:
                continue  # deleted since
        return _State(run, steps.waiting_calls(self._project, run), new, found)

    def _changes(self, state: _State) -> Iterator[str]:
        """Yield the events of the changes in the store."""
        self._run = state.run
        for step in state.steps:
            yield from self._work()
            if step.message_id:
                yield from self._message_step(step, state.messages.get(step.message_id))
            else:
                yield from self._calls_step(step)
        self._shown = len(state.run.steps)
        if state.run.status not in ("queued", "cancelled", "expired"):
            yield from self._work()

    def _work(self) -> Iterator[str]:
        if not self._shows_work:
            self._shows_work = True
            yield frames.run_status(_earlier(self._run, "in_progress"))

    def _message_step(self, step: Step, message: Message | None) -> Iterator[str]:
        answer = self._answer
        is_live = answer is not None and (step.id, step.message_id) == (_step_id(answer), _message_id(answer))
        if is_live:
            yield from self._pieces()
            self._answer, self._sent = None, 0
        elif self._sent:
            raise errors.stream_broken(self._run.id)
        else:
            yield from frames.step_begins(step)
            if message:
                yield from frames.message_begins(message)
        if message:
            yield from frames.part_deltas(message, 1 if is_live else 0)
            yield frames.message_status(message)
        yield frames.step_status(step)

    def _calls_step(self, step: Step) -> Iterator[str]:
        yield from frames.step_begins(step)
        yield from frames.step_deltas(step)
        if step.completed_at:  # another request has submitted its outputs
            yield frames.step_status(step)
            yield frames.run_status(_earlier(self._run, "queued"))
            self._shows_work = False

    def _live_text(self) -> Iterator[str]:
        """Yield the deltas of the live answer until it is time to read the run again."""
        next_read = min(time.monotonic() + _PAUSE_SECONDS, self._until)
        while (left := next_read - time.monotonic()) > 0:
            known = None if self._answer is None or self._answer.has_ended else self._answer
            answer = live.wait(self._run.id, known, self._sent, left)
            if answer is not known:
                self._answer, self._sent = answer, 0
                return  # the answer has begun, so the next read shows the run in progress
            yield from self._pieces()
            if answer is None or answer.has_ended:
                return

    def _pieces(self) -> Iterator[str]:
        """Yield deltas of the live answer's new pieces. Before the first delta, the step and the message begin."""
        answer = self._answer
        new = answer.pieces[self._sent :] if answer else []
        if not answer or not new:
            return
        if not self._sent:
            yield from frames.step_begins(self._begun_step(answer))
            yield from frames.message_begins(self._begun_message(answer))
        for piece in new:
            yield frames.text_delta(_message_id(answer), piece, is_first=self._sent == 0)
            self._sent += 1

    def _end(self, state: _State) -> Iterator[str]:
        run = state.run
        if run.status == "cancelled":
            yield frames.run_status(_earlier(run, "cancelling"))
        if self._sent and self._answer:
            yield frames.message_status(self._begun_message(self._answer))
            yield frames.step_status(self._begun_step(self._answer))
        elif state.steps and state.steps[-1].status == run.status and run.status in ("cancelled", "expired"):
            yield frames.step_status(state.steps[-1])
        yield frames.run_status(run, state.calls)
        yield frames.DONE

    def _begun_step(self, answer: LiveAnswer) -> Step:
        """Return the step of an answer that is not stored. If the run has ended, it will never be stored."""
        run, step = self._run, run_items.new_step(self._run, answer.step_ulid)
        step = step._replace(message_id=_message_id(answer))
        if run.status not in _REASONS:
            return step
        failure = run.last_error
        if failure and failure.code == "invalid_prompt":  # a code that steps do not have
            failure = failure._replace(code="server_error")
        return step._replace(
            status=run.status,
            cancelled_at=run.ended_at if run.status == "cancelled" else None,
            failed_at=run.ended_at if run.status == "failed" else None,
            last_error=failure,
        )

    def _begun_message(self, answer: LiveAnswer) -> Message:
        """Return the message of an answer that is not stored. It has the text that the stream has shown."""
        run = self._run
        data = MessageData(
            role="assistant",
            content=run_items.content_json("".join(answer.pieces[: self._sent]), None),
            assistant_id=run.assistant_id,
            run_id=run.id,
            status="incomplete",
            incomplete_details=json.dumps({"reason": _REASONS.get(run.status)}),
        )
        created_at = ids.milliseconds(answer.message_ulid) // 1000
        return Message(_message_id(answer), run.thread_id, created_at, data)


def _message_id(answer: LiveAnswer) -> str:
    return keys.MESSAGE_PREFIX + answer.message_ulid


def _step_id(answer: LiveAnswer) -> str:
    return keys.STEP_PREFIX + answer.step_ulid


def _earlier(run: Run, status: str) -> Run:
    """Return a run in an earlier state, with this status."""
    return run._replace(status=status, ended_at=None, last_error=None, incomplete_reason=None)
