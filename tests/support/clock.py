"""A clock for tests. Only pauses and tests move it forward. Pauses take no real time."""

import threading
import time

import pytest


class Clock:
    """Replaces `time`'s clocks and `sleep` while a test runs; `slept` lists the pauses, in seconds.

    Threads that an earlier test left running sleep in real time, and do not move the clock.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._passed = 0.0
        self._strangers = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        self._true_sleep = time.sleep
        self._wall, self._monotonic = time.time(), time.monotonic()
        self.slept: list[float] = []
        patch.setattr(time, "sleep", self._sleep)
        patch.setattr(time, "time", lambda: self._wall + self._passed)
        patch.setattr(time, "time_ns", lambda: int((self._wall + self._passed) * 1_000_000_000))
        patch.setattr(time, "monotonic", lambda: self._monotonic + self._passed)

    def forward(self, seconds: float) -> None:
        self._passed += seconds

    def _sleep(self, seconds: float) -> None:
        if threading.get_ident() in self._strangers:
            self._true_sleep(seconds)
            return
        self.slept.append(seconds)
        self.forward(seconds)
