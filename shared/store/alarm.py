"""An end to calls that have none: an answer that comes byte by byte outlasts every time-out for reading.

Only the main thread can be interrupted so; it is the one in which Lambda runs a handler.
"""

import atexit
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# botocore takes the interruption for a lost answer and sends once more; that is cut short too.
_SECONDS_FOR_THE_NEXT = 1.0

_main = threading.main_thread()
_calling: list[bool] = []
# While Python ends, nothing of ours answers a signal any more, and an alarm would kill the process.
atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)


class NoEndError(Exception):
    """A call took longer than the function has."""


def ring_in(seconds: float) -> None:
    """Interrupt the call that the main thread is waiting for then, if there is one; earlier alarms are forgotten."""
    if threading.current_thread() is _main:
        signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))  # 0 would be none


@contextmanager
def may_ring() -> Iterator[None]:
    """Let the alarm interrupt what is done here, and nothing else."""
    if threading.current_thread() is not _main:
        yield
        return
    _calling.append(True)
    try:
        yield
    finally:
        _calling.clear()


def _ring(*_: object) -> None:
    if _calling:
        signal.setitimer(signal.ITIMER_REAL, _SECONDS_FOR_THE_NEXT)
        raise NoEndError
