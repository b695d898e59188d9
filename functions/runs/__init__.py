"""Runs: one Lambda function serves all of their routes. Each operation has a module of the same name."""

from functions.runs.cancel_run import cancel_run
from functions.runs.create_run import create_run
from functions.runs.create_thread_and_run import create_thread_and_run
from functions.runs.list_run_steps import list_run_steps
from functions.runs.list_runs import list_runs
from functions.runs.modify_run import modify_run
from functions.runs.retrieve_run import retrieve_run
from functions.runs.retrieve_run_step import retrieve_run_step
from functions.runs.submit_tool_outputs import submit_tool_outputs
from shared.runs.routing import Routes, serve_routes

_RUN = "/threads/{threadId}/runs/{runId}"

ROUTES: Routes = {
    "/threads/runs": {"POST": create_thread_and_run},
    "/threads/{threadId}/runs": {"GET": list_runs, "POST": create_run},
    _RUN: {"GET": retrieve_run, "POST": modify_run},
    f"{_RUN}/cancel": {"POST": cancel_run},
    f"{_RUN}/submit_tool_outputs": {"POST": submit_tool_outputs},
    f"{_RUN}/steps": {"GET": list_run_steps},
    f"{_RUN}/steps/{{stepId}}": {"GET": retrieve_run_step},
}

handler = serve_routes("runs", ROUTES)
