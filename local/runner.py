"""Runs a function on records of a stream or a queue, as Lambda does for its event sources."""

import importlib
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from local.lambda_context import LambdaContext
from local.template import Function

Record = dict[str, Any]


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
