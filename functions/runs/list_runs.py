"""List runs: `GET /threads/{threadId}/runs`."""

from functools import partial

from shared.request import Request
from shared.responses import Response
from shared.runs.records import Run
from shared.runs.store import runs, steps
from shared.runs.wire import run_json
from shared.wire import list_json


def list_runs(request: Request) -> Response:
    """Return one page of a thread's runs."""
    page = runs.list_runs(request.project, request.thread_id, request.page_request("run"))
    return Response(list_json(page, partial(_run_json, request.project)))


def _run_json(project: str, run: Run) -> str:
    return run_json(run, steps.waiting_calls(project, run))
