"""Cancel run: `POST /threads/{threadId}/runs/{runId}/cancel`."""

from shared.request import Request
from shared.responses import Response
from shared.runs.responses import run_response
from shared.runs.store import lifecycle, steps


def cancel_run(request: Request) -> Response:
    """End an active run at once. The response shows the run before its end, with the status `cancelling`."""
    thread_id, run_id = request.thread_id, request.path_id("runId", "run_id", "run")
    run = lifecycle.cancel(request.project, thread_id, run_id)
    return run_response(run._replace(status="cancelling"), steps.waiting_calls(request.project, run))
