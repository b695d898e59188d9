"""What functions ask of SQS and EventBridge by botocore is answered in this process; nothing is sent."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

Answer = dict[str, Any]


@contextmanager
def answered(operations: Mapping[str, Callable[[Answer], Answer]]) -> Iterator[None]:
    """Answer these operations, such as `sqs.SendMessage`, of every client that is made meanwhile.

    Enter it before the functions are imported: they make their clients then.
    """
    handlers = [(f"before-call.{name}", _answering(operation)) for name, operation in operations.items()]
    BUILTIN_HANDLERS.extend(handlers)
    try:
        yield
    finally:
        for handler in handlers:
            BUILTIN_HANDLERS.remove(handler)


def _answering(operation: Callable[[Answer], Answer]) -> Callable[..., tuple[SimpleNamespace, Answer]]:
    def answer(params: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, Answer]:
        return SimpleNamespace(status_code=HTTPStatus.OK), operation(json.loads(params["body"]))

    return answer
