"""Python imports this at its start under `make any-day`: a `time.sleep` that works under faketime.

CPython sleeps until a moment of the monotonic clock. faketime, which leaves that clock alone, shifts the moment anyway.
"""

import select
import time
from typing import Any


def _sleep(seconds: Any) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
