"""The Lambda runtime on this machine: the context that a handler receives, and runs of a function on records."""

import importlib
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from tools.local.template import ACCOUNT, REGION, Function

Record = dict[str, Any]


class LambdaContext:
    """Attributes and types are those of the runtime; `memory_limit_in_mb` is a string there too."""

    function_version = "$LATEST"
    client_context = None
    identity = None

    def __init__(self, function: Function) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = function.name
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
        self.log_group_name = f"/aws/lambda/{function.name}"
        self.log_stream_name = "local"
        self.memory_limit_in_mb = str(function.memory)
        self._deadline = time.monotonic() + function.timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function's time-out, never below 0."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class Runner:
    """A function with its handler; `turn` is entered for each run, and may keep others waiting."""

    def __init__(self, function: Function, turn: AbstractContextManager[Any]) -> None:
        module, _, name = function.handler.rpartition(".")
        self.name = function.name
        self._function = function
        self._handler: Callable[[Any, Any], Any] = getattr(importlib.import_module(module), name)
        self._turn = turn

    def run(self, records: list[Record], ids: list[str]) -> list[int]:
        """Run the function; return the places of the records that it failed on, all of them when it raised.

        `ids` are those by which it names a record.
        """
        try:
            with self._turn:
                answer = self._handler({"Records": records}, LambdaContext(self._function))
        except Exception as error:  # noqa: BLE001 - the runtime's own boundary
            # The place and the kind only: an exception's text may hold what a client sent.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            say(f"{self.name} raised {type(error).__name__} at {frame.filename}:{frame.lineno}")
            return [*range(len(records))]
        failures = (answer or {}).get("batchItemFailures", [])
        return sorted(ids.index(failure["itemIdentifier"]) for failure in failures)


def say(line: str) -> None:
    """Write a line for the person who runs all this."""
    print(line, file=sys.stderr, flush=True)
