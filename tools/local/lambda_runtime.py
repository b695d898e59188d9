"""The Lambda runtime on this machine: the context that a handler receives, and functions that run on records."""

import importlib
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

from tools.local.template import ACCOUNT, REGION, Function

Record = dict[str, Any]
Handler = Callable[[Any, Any], Any]


class LambdaContext:
    """Its attributes and their types are those of the runtime, where `memory_limit_in_mb` is a string too."""

    # Lambda's Python runtime lacks this attribute. It allows a response's body to be an iterator of texts, sent one by
    # one.
    streams = True
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
    """Runs a function on records."""

    def __init__(self, function: Function) -> None:
        self.name = function.name
        self._function = function
        self._handler = handler(function)

    def run(self, records: list[Record], ids: list[str]) -> list[int]:
        """Run the function. Return the indexes of the records that failed: all of them if the function raised.

        `ids` identify the records in the function's response.
        """
        try:
            response = self._handler({"Records": records}, LambdaContext(self._function))
        except Exception as error:  # noqa: BLE001 - the runtime's own boundary
            say_raised(self.name, error)
            return [*range(len(records))]
        failures = (response or {}).get("batchItemFailures", [])
        return sorted(ids.index(failure["itemIdentifier"]) for failure in failures)


def handler(function: Function) -> Handler:
    """Import the module of a function; its environment must be set before. Return its handler."""
    module, _, name = function.handler.rpartition(".")
    found: Handler = getattr(importlib.import_module(module), name)
    return found


def say_raised(function: str, error: Exception) -> None:
    """Write that a function raised an error, with its place and type only.

    The error's text can contain data that a client sent.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    say(f"{function} raised {type(error).__name__} at {frame.filename}:{frame.lineno}")


def say(line: str) -> None:
    """Write a line to the terminal."""
    print(line, file=sys.stderr, flush=True)
