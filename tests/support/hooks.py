"""Registers handlers of the events of botocore's clients, until a context ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any


@contextmanager
def hooked(client: Any = None, **handlers: Callable[..., Any]) -> Iterator[None]:
    """Call handlers at events of a client: the table's client, unless another is given.

    The argument `before_call` is the handler of `before-call`. These handlers run before all others. When a handler of
    `before-call` returns a response, later handlers are not called.
    """
    if client is None:
        from shared.store import table

        client = table.client()
    with ExitStack() as stack:
        for name, handler in handlers.items():
            event = name.replace("_", "-")
            client.meta.events.register_first(event, handler)
            stack.callback(client.meta.events.unregister, event, handler)
        yield


def response(body: dict[str, Any], status: int = 200) -> tuple[SimpleNamespace, dict[str, Any]]:
    """Return a value for a `before-call` handler to return: the call then gets this response and is not sent."""
    return SimpleNamespace(status_code=status), body | {"ResponseMetadata": {"RetryAttempts": 0}}
