"""Handlers at the events of botocore's clients, for as long as a context."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any


@contextmanager
def hooked(client: Any = None, **handlers: Callable[..., Any]) -> Iterator[None]:
    """Call handlers at events of a client, the table's unless another is given: `before_call` is `before-call`.

    They come before all other handlers: once one has answered a call in `before-call`, no later one is asked.
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
    """Return what a `before-call` handler returns, so that the call has this response and is not sent."""
    return SimpleNamespace(status_code=status), body | {"ResponseMetadata": {"RetryAttempts": 0}}
