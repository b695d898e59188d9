"""Records of a stream, or messages of a queue, that wait for a function; some of them are due later."""

import heapq
import itertools
import threading
import time
from typing import Generic, TypeVar

T = TypeVar("T")


class Backlog(Generic[T]):
    """Returns its entries in the order in which they are due. Any thread can put entries in or take them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, T]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._drops = False

    def put(self, entry: T, delay: float = 0.0) -> None:
        """Add an entry that is due after `delay` seconds."""
        with self._changed:
            if self._drops:
                return
            heapq.heappush(self._waiting, (time.monotonic() + delay, next(self._numbers), entry))
            # `notify` wakes one thread. It could take another entry, while the other threads wait for a later time.
            self._changed.notify_all()

    def take(self, most: int) -> list[T]:
        """Wait until an entry is due and return up to `most` entries; [] when closed and empty."""
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
        """Let the threads that call `take` end. Entries that wait are dropped if `drop` is set, else due now.

        After a `drop`, later entries are dropped too.
        """
        with self._changed:
            self._closed = True
            self._drops = self._drops or drop
            if self._drops:
                self._waiting.clear()
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    def _due(self) -> bool:
        return bool(self._waiting) and (self._closed or self._waiting[0][0] <= time.monotonic())
