"""Retrieve run: `GET /threads/{threadId}/runs/{runId}`."""

from shared.request import Request
from shared.responses import Response
from shared.runs.responses import run_response
from shared.runs.store import runs, steps


def retrieve_run(request: Request) -> Response:
    """Return one run."""
    thread_id, run_id = request.thread_id, request.path_id("runId", "run_id", "run")
    run = runs.retrieve(request.project, thread_id, run_id)
    return run_response(run, steps.waiting_calls(request.project, run))
