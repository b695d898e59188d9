"""Responds to the functions' calls of SQS and EventBridge in this process. Nothing leaves the process."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

Json = dict[str, Any]
Operation = Callable[[Json], Json]


@contextmanager
def intercepted(operations: Mapping[str, Operation]) -> Iterator[None]:
    """Respond to these operations, such as `sqs.SendMessage`, of every client that is made within the context.

    Enter the context before the functions are imported, because they make their clients then.
    """
    handlers = [(f"before-call.{name}", _handler(operation)) for name, operation in operations.items()]
    BUILTIN_HANDLERS.extend(handlers)
    try:
        yield
    finally:
        for handler in handlers:
            BUILTIN_HANDLERS.remove(handler)


def _handler(operation: Operation) -> Callable[..., tuple[SimpleNamespace, Json]]:
    def respond(params: Json, **_: Any) -> tuple[SimpleNamespace, Json]:
        return SimpleNamespace(status_code=HTTPStatus.OK), operation(json.loads(params["body"]))

    return respond
