"""List run steps: `GET /threads/{threadId}/runs/{runId}/steps`."""

from shared.request import Request
from shared.responses import Response
from shared.runs.store import steps
from shared.runs.wire import step_json
from shared.wire import list_json


def list_run_steps(request: Request) -> Response:
    """Return one page of a run's steps."""
    thread_id, run_id = request.thread_id, request.path_id("runId", "run_id", "run")
    page = steps.list_steps(request.project, thread_id, run_id, request.page_request("step"))
    return Response(list_json(page, step_json))
