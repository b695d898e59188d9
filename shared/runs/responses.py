"""What the operations of runs return."""

from shared.responses import Response
from shared.runs.records import ACTIVE, Run, ToolCall
from shared.runs.wire import run_json

# Milliseconds after which the SDKs' polling helpers read again; without the header they wait 1 or 5 seconds.
_POLL_AFTER = {"openai-poll-after-ms": "500"}


def run_response(run: Run, calls: tuple[ToolCall, ...] = ()) -> Response:
    """Return a run as a response; `calls` are those whose outputs it waits for. An active one says when to poll."""
    is_active = run.status in (*ACTIVE, "cancelling")
    return Response(run_json(run, calls), headers=_POLL_AFTER if is_active else {})
