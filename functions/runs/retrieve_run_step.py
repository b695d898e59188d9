"""Retrieve run step: `GET /threads/{threadId}/runs/{runId}/steps/{stepId}`."""

from shared.request import Request
from shared.responses import Response
from shared.runs.store import steps
from shared.runs.wire import step_json


def retrieve_run_step(request: Request) -> Response:
    """Return one step of a run."""
    thread_id, run_id = request.thread_id, request.path_id("runId", "run_id", "run")
    step_id = request.path_id("stepId", "step_id", "step")
    return Response(step_json(steps.retrieve(request.project, thread_id, run_id, step_id)))
