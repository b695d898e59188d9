"""Works around defects of faketime. Python imports this module at its start under `make any-day`.

CPython sleeps until a time of the monotonic clock. faketime does not change that clock, but wrongly shifts that time.
Under faketime Java spins, so that DynamoDB Local takes a whole processor. Programs that `make` starts do not import
this module. Java and `make` run in true time. No test compares their time with its own.
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
