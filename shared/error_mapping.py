"""What becomes of an error: the one place where the store's errors get a status, and what a log may know of a fault."""

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
    """Return what a client is told of an error that a request about this thread has met."""
    match error:
        case WireError():
            found = error
        case ThreadNotFoundError():
            found = errors.thread_not_found(error.thread_id or thread_id)
        case MessageNotFoundError():
            found = errors.message_not_found(error.message_id)
        case RunActiveError():
            found = errors.run_active(thread_id, error.run_id)
        case IdempotencyKeyReusedError():
            found = errors.idempotency_key_reused()
        case TooLargeError():
            found = errors.body_too_large()
        case BusyError():
            found = errors.too_busy()
        case _:
            found = errors.internal_error()
    return found


def cause(error: Exception) -> dict[str, Any]:
    """Return what the log may know of a fault: types, AWS's code, where. Its text could hold content or a key."""
    causes = [error, *filter(None, [error.__cause__])]
    frames = traceback.extract_tb(causes[-1].__traceback__)
    return {
        "error": [type(found).__name__ for found in causes],
        "code": [found.response["Error"]["Code"] for found in causes if isinstance(found, ClientError)],
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
