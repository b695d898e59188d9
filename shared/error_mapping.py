"""Maps store errors to HTTP errors, and errors to the fields that a log may contain."""

import traceback
from typing import Any

from botocore.exceptions import ClientError

from shared import errors
from shared.errors import WireError
from shared.store.errors import (
    BusyError,
    IdempotencyKeyReusedError,
    MessageNotFoundError,
    RunActiveError,
    ThreadNotFoundError,
    TooLargeError,
)


def wire_error(error: Exception, thread_id: str) -> WireError:
    """Return the API's error for an error that a request about this thread has raised."""
    match error:
        case WireError():
            mapped = error
        case ThreadNotFoundError():
            mapped = errors.thread_not_found(error.thread_id or thread_id)
        case MessageNotFoundError():
            mapped = errors.message_not_found(error.message_id)
        case RunActiveError():
            mapped = errors.run_active(thread_id, error.run_id)
        case IdempotencyKeyReusedError():
            mapped = errors.idempotency_key_reused()
        case TooLargeError():
            mapped = errors.body_too_large()
        case BusyError():
            mapped = errors.too_busy()
        case _:
            mapped = errors.internal_error()
    return mapped


def cause(error: Exception) -> dict[str, Any]:
    """Return the types, AWS codes and places of a fault for the log, without its text.

    The text could contain content or a key.
    """
    causes = [error, *filter(None, [error.__cause__])]
    frames = traceback.extract_tb(causes[-1].__traceback__)
    return {
        "error": [type(one).__name__ for one in causes],
        "code": [one.response["Error"]["Code"] for one in causes if isinstance(one, ClientError)],
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
