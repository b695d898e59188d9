"""A clock for tests: time stands still but for pauses, which take none, and for what a test puts it forward."""

import threading
import time

import pytest


class Clock:
    """Replaces `time`'s clocks and `sleep` while a test runs; `slept` lists the pauses, in seconds.

    The threads that an earlier test left behind sleep as before, and move nothing.
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
