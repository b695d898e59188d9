"""What waits for a function, in this process: records of a stream, or messages of a queue, some of them due later."""

import heapq
import itertools
import threading
import time
from typing import Generic, TypeVar

T = TypeVar("T")


class Backlog(Generic[T]):
    """Hands out what is due, in the order in which it came due, to one function; filled from any thread."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, T]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, thing: T, seconds: float = 0.0) -> None:
        """Add a thing that is due in so many seconds."""
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._numbers), thing))
            self._changed.notify()

    def take(self, most: int) -> list[T]:
        """Wait until something is due and return so many at most; [] when closed and empty."""
        with self._changed:
            while not self._due():
                if self._closed:
                    return []
                self._changed.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)
            taken: list[T] = []
            while self._due() and len(taken) < most:
                taken.append(heapq.heappop(self._waiting)[2])
            return taken

    def close(self, *, drop: bool) -> None:
        """Let whoever takes come to an end: what waits is dropped, or else due now."""
        with self._changed:
            self._closed = True
            if drop:
                self._waiting.clear()
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def _due(self) -> bool:
        return bool(self._waiting) and (self._closed or self._waiting[0][0] <= time.monotonic())
