"""Python imports this at its start under `make any-day`: what makes faketime bearable.

CPython sleeps until a moment of the monotonic clock. faketime, which leaves that clock alone, shifts the moment anyway.
Java spins under it, so that DynamoDB Local takes a whole processor. What `make` starts does not import this module.
Java and `make` run in true time, which no test compares with its own.
"""

import os
import select
import subprocess
import time
from typing import Any, SupportsIndex

_start = subprocess.Popen.__init__


def _sleep(seconds: SupportsIndex | float) -> None:
    select.select([], [], [], float(seconds))


def _start_in_true_time(self: "subprocess.Popen[Any]", args: Any, *more: Any, **options: Any) -> None:
    if isinstance(args, list) and str(args[0]).endswith(("java", "make")):
        environment = options.get("env") or os.environ
        options["env"] = {name: value for name, value in environment.items() if name != "LD_PRELOAD"}
    _start(self, args, *more, **options)


time.sleep = _sleep
subprocess.Popen.__init__ = _start_in_true_time  # type: ignore[method-assign]
