"""Live answers: passes the model's text to streams in the worker's own process. Only the local API has such streams."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared import ids
from shared.runs.records import Run
from shared.store import keys

_changed = threading.Condition()
_answers: dict[str, "LiveAnswer"] = {}
_enabled = threading.Event()


class LiveAnswer:
    """The text of an answer that has arrived so far. With the first piece, the message and the step get their ULIDs."""

    def __init__(self, run: Run) -> None:
        self.pieces: list[str] = []
        self.has_ended = False
        self.message_ulid = self.step_ulid = ""
        self._last_step = run.steps[-1].removeprefix(keys.STEP_PREFIX) if run.steps else ""

    def add(self, piece: str) -> None:
        """Add a piece of the text and wake the streams that wait for it."""
        with _changed:
            if not self.pieces:
                self.message_ulid, self.step_ulid = ids.new_ulid(), ids.new_ulid(self._last_step)
            self.pieces.append(piece)
            _changed.notify_all()


def enable() -> None:
    """Publish the answers of this process from now on.

    On Lambda another process serves a stream, and it cannot read these answers. There, a message must not get its ULID
    long before it is stored: readers assume that every Query shows a message with an old ULID.
    """
    _enabled.set()


@contextmanager
def published(run: Run) -> Iterator[LiveAnswer | None]:
    """Publish the answer to a run until the block ends. Yield None if answers are not published."""
    if not _enabled.is_set():
        yield None
        return
    answer = LiveAnswer(run)
    with _changed:
        _answers[run.id] = answer
        _changed.notify_all()
    try:
        yield answer
    finally:
        with _changed:
            del _answers[run.id]
            answer.has_ended = True
            _changed.notify_all()


def wait(run_id: str, answer: LiveAnswer | None, known: int, seconds: float) -> LiveAnswer | None:
    """Wait until an answer has more than `known` pieces or has ended, and return it.

    If `answer` is None, wait for an answer to begin. After `seconds` return the answer, or None if there is none.
    """

    def has_news() -> bool:
        if answer is None:
            return run_id in _answers
        return len(answer.pieces) > known or answer.has_ended

    with _changed:
        _changed.wait_for(has_news, seconds)
        return answer or _answers.get(run_id)
