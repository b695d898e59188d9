"""Runs actors one at a time. At each point where an actor may be interrupted, a seed decides which actor is next.

Each actor is a thread, but only the actor that has the turn runs. So the same seed repeats a run. Time is counted in
steps of one millisecond. Each actor has its own clock, which is wrong by some seconds.
"""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

_MOST_STEPS = 200_000
_EPOCH_NANOSECONDS = time.time_ns()


class _Actor:
    def __init__(self, weight: float, skew_seconds: float) -> None:
        self.weight = weight
        self.skew_seconds = skew_seconds
        self.wakes_at = 0
        self.turn = threading.Semaphore(0)
        self.done = False


class _Later(Future[Any]):
    """A future. Its reader lets other actors run until it is done."""

    def __init__(self, scheduler: "Scheduler") -> None:
        super().__init__()
        self._scheduler = scheduler

    def result(self, timeout: float | None = None) -> Any:
        while not self.done():
            self._scheduler.pause()
        return super().result(timeout)


class Scheduler:
    """Runs actors to their end. Outside of an actor `pause` does nothing, and the clock has no skew."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.steps = 0
        self._actors: list[_Actor] = []
        self._current: _Actor | None = None
        self._over = threading.Semaphore(0)
        self._failures: list[BaseException] = []

    def run(self, *actors: Callable[[], object], skew_seconds: float = 5.0) -> None:
        """Run the actors to their end, each with a clock that is wrong by up to `skew_seconds`.

        If an actor raises an exception, `run` raises it, and the other actors stop where they are.
        """
        for work in actors:
            self._start(work, self.random.uniform(-skew_seconds, skew_seconds))
        self._next().turn.release()
        self._over.acquire()
        if self._failures:
            raise self._failures[0]

    def pause(self, steps: int = 0) -> None:
        """Let other actors run. Return after at least this number of steps."""
        me = self._current
        if me is None:
            return
        me.wakes_at = self.steps + steps
        following = self._next()
        if following is not me:
            following.turn.release()
            me.turn.acquire()
        self._current = me

    def submit(self, work: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Run work as a further actor, with the clock of the current one, as a thread pool does."""
        later = _Later(self)

        def run() -> None:
            try:
                later.set_result(work(*arguments))
            except BaseException as error:  # noqa: BLE001 - it belongs to the reader of the future
                later.set_exception(error)

        if self._current is None:
            run()
        else:
            self._start(run, self._current.skew_seconds)
        return later

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        """Let the code under test get its time, pauses, random bytes and threads from this scheduler."""
        from shared.store import table

        patch.setattr(time, "time_ns", self._nanoseconds)
        patch.setattr(time, "time", lambda: self._nanoseconds() / 1_000_000_000)
        patch.setattr(time, "monotonic", lambda: self.steps / 1000)
        patch.setattr(time, "sleep", lambda seconds: self.pause(int(seconds * 1000)))
        patch.setattr("os.urandom", self.random.randbytes)
        patch.setattr(table, "_threads", self)

    def _start(self, work: Callable[[], object], skew_seconds: float) -> None:
        # Some actors are much slower than others.
        actor = _Actor(self.random.choice((1.0, 1.0, 5.0, 20.0)), skew_seconds)

        def run() -> None:
            actor.turn.acquire()
            self._current = actor
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - `run` raises it
                self._failures.append(error)
            actor.done = True
            if self._failures or all(other.done for other in self._actors):
                self._current = None
                self._over.release()
            else:
                self._next().turn.release()

        self._actors.append(actor)
        threading.Thread(target=run, daemon=True).start()

    def _next(self) -> _Actor:
        """Choose the next actor, and move the clock forward to a time when an actor can run."""
        self.steps += 1
        assert self.steps < _MOST_STEPS, "the actors wait for each other"
        alive = [actor for actor in self._actors if not actor.done]
        self.steps = max(self.steps, min(actor.wakes_at for actor in alive))
        awake = [actor for actor in alive if actor.wakes_at <= self.steps]
        (chosen,) = self.random.choices(awake, [actor.weight for actor in awake])
        return chosen

    def _nanoseconds(self) -> int:
        skew = self._current.skew_seconds if self._current else 0.0
        return _EPOCH_NANOSECONDS + self.steps * 1_000_000 + int(skew * 1_000_000_000)
