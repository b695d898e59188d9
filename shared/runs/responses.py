"""The response that shows a run."""

from shared.responses import Response
from shared.runs.records import ACTIVE, Run, ToolCall
from shared.runs.wire import run_json

# Milliseconds after which the SDKs' polling helpers read the run again. Without the header they wait 1 or 5 seconds.
_POLL_AFTER = {"openai-poll-after-ms": "500"}


def run_response(run: Run, calls: tuple[ToolCall, ...] = ()) -> Response:
    """Return a run as a response. `calls` are the calls that it waits for. An active run has a header for polling."""
    is_active = run.status in (*ACTIVE, "cancelling")
    return Response(run_json(run, calls), headers=_POLL_AFTER if is_active else {})
