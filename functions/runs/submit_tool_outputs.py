"""Submit tool outputs: `POST /threads/{threadId}/runs/{runId}/submit_tool_outputs`."""

from shared.request import Request
from shared.responses import Response
from shared.runs import bodies, stream
from shared.runs.models import SubmitToolOutputs
from shared.runs.responses import run_response
from shared.runs.store import lifecycle, steps
from shared.validation import validate


def submit_tool_outputs(request: Request) -> Response:
    """Store the outputs of all calls that a run waits for, and queue the run again."""
    thread_id, run_id = request.thread_id, request.path_id("runId", "run_id", "run")
    requested = validate(SubmitToolOutputs, request.body())
    outputs = bodies.tool_outputs(requested, resent=request.is_resent)
    run = lifecycle.submit(request.project, thread_id, run_id, outputs)
    if requested.stream:
        return stream.of_outputs(request.project, run)
    return run_response(run, steps.waiting_calls(request.project, run))
