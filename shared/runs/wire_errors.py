"""Maps the errors of the store of runs to HTTP errors."""

from shared import error_mapping, errors
from shared.errors import WireError
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
    "cancel": errors.run_not_cancellable,
    "submit": errors.run_takes_no_outputs,
    "update": errors.run_not_modifiable,
}


def wire_error(error: Exception, thread_id: str) -> WireError:
    """Return the API's error for an error that a request about assistants or runs has raised."""
    match error:
        case AssistantNotFoundError():
            mapped = errors.assistant_not_found(error.assistant_id)
        case RunNotFoundError():
            mapped = errors.run_not_found(error.run_id)
        case StepNotFoundError():
            mapped = errors.step_not_found(error.step_id)
        case RunExistsError():
            mapped = errors.run_exists(thread_id, error.run_id)
        case NothingToRunError():
            mapped = errors.nothing_to_run()
        case RunStatusError():
            mapped = _FORBIDDEN[error.action](error.status)
        case OutputsMismatchError():
            mapped = errors.outputs_mismatch(error.expected, error.got)
        case _:
            mapped = error_mapping.wire_error(error, thread_id)
    return mapped
