"""The wire's errors of assistants and runs, one function for each case, and the store's errors as such.

Programs compare the texts of most of them: they are those of the old API.
"""

from shared import error_mapping
from shared.errors import WireError, invalid_value
from shared.runs.errors import (
    AssistantNotFoundError,
    NothingToRunError,
    OutputsMismatchError,
    RunExistsError,
    RunNotFoundError,
    RunStatusError,
    StepNotFoundError,
)

_FORBIDDEN = {
    "cancel": "Cannot cancel run with status '{}'.",
    "submit": 'Runs in status "{}" do not accept tool outputs.',
    "update": "Cannot update run with status '{}'.",
}


def wire_error(error: Exception, thread_id: str) -> WireError:
    """Return the error of the wire for an error that a request about assistants or runs has met."""
    match error:
        case AssistantNotFoundError():
            mapped = WireError(404, f"No assistant found with id '{error.assistant_id}'.")
        case RunNotFoundError():
            mapped = WireError(404, f"No run found with id '{error.run_id}'.")
        case StepNotFoundError():
            mapped = WireError(404, f"No run step found with id '{error.step_id}'.")
        case RunExistsError():
            mapped = WireError(400, f"Thread {thread_id} already has an active run {error.run_id}.")
        case NothingToRunError():
            mapped = nothing_to_run()
        case RunStatusError():
            mapped = WireError(400, _FORBIDDEN[error.action].format(error.status))
        case OutputsMismatchError():
            mapped = WireError(400, f"Expected tool outputs for call_ids {error.expected}, got {error.got}")
        case _:
            mapped = error_mapping.wire_error(error, thread_id)
    return mapped


def nothing_to_run() -> WireError:
    """No instructions, and a thread that never had a message."""
    return WireError(
        400,
        "Run creation requires a Thread with a user message or an assistant with instructions.",
        code="invalid_thread",
    )


def unknown_function(name: str) -> WireError:
    """A tool choice that names a function which the run does not have."""
    return invalid_value("tool_choice", f"Invalid 'tool_choice': the run has no function '{name}'.")


def tools_too_large(limit: int) -> WireError:
    """Tools, tool resources and response format that are too large together; the limit is in bytes."""
    message = f"The tools, tool_resources and response_format are larger than {limit} bytes together."
    return WireError(413, message, code="request_too_large")


def no_streams() -> WireError:
    """A stream was asked for, and there are none yet."""
    return invalid_value("stream", "Invalid 'stream': this service does not stream yet. Create the run, then poll it.")
