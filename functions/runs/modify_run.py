"""Modify run: `POST /threads/{threadId}/runs/{runId}`."""

from shared.message_data import new_metadata
from shared.request import Request
from shared.responses import Response
from shared.runs.models import ModifyRun
from shared.runs.responses import run_response
from shared.runs.store import runs, steps
from shared.validation import validate


def modify_run(request: Request) -> Response:
    """Replace a run's metadata if the body has metadata; return the whole run."""
    thread_id, run_id = request.thread_id, request.path_id("runId", "run_id", "run")
    metadata = new_metadata(validate(ModifyRun, request.body()))
    run = runs.modify(request.project, thread_id, run_id, metadata)
    return run_response(run, steps.waiting_calls(request.project, run))
