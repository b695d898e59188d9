"""The modules that the import of a handler loads. This is most of a cold start."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.memory import MODEL
from tools.local import template

ROOT = Path(__file__).parents[2]
TEMPLATE = template.load(parameters=MODEL)
FUNCTIONS = sorted(function.handler.split(".")[1] for function in TEMPLATE.functions)
OPEN = "retrieve_openapi"
# Each of these modules is slow to load, and no function needs it.
NOWHERE = {
    "asyncio",
    "aws_xray_sdk",
    "boto3",
    "http.server",
    "moto",
    "multiprocessing",
    "requests",
    "s3transfer",
    "unittest",
    "aws_lambda_powertools.utilities.parser",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.event_handler",
}
# openai, which alone calls the model, loads some of it.
OF_OPENAI = {"asyncio", "multiprocessing"}
WITH_BODIES = {"create_message", "create_thread", "modify_message", "modify_thread", "ingest_message"}
WITH_PYDANTIC = WITH_BODIES | {"assistants", "runs", "execute_run"}
# The functions whose bundle has shared/runs.
WITH_RUNS = {"assistants", "runs", "execute_run", "publish_events"}
# The modules that make the event of a run.
OF_EVENTS = {
    "shared.runs",
    *(f"shared.runs.{name}" for name in ("errors", "events", "records", "wire", "store")),
    *(f"shared.runs.store.{name}" for name in ("documents", "run_items", "runs", "steps")),
}


# In a fork for each function, so that none finds what another has loaded. All but the one that is open to everybody
# need the table's module, which loads nothing that is looked at here: it is loaded once.
CODE = """
import importlib, json, os, sys
first, *others = sys.argv[1:]
for function in (first, "", *others):
    if not function:
        import shared.store.table
    elif os.fork():
        assert os.wait()[1] == 0, function
    else:
        importlib.import_module(f"functions.{function}")
        print(json.dumps([function, *sys.modules]), flush=True)
        os._exit(0)
"""


@cache
def _imported() -> dict[str, set[str]]:
    credentials = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": template.REGION}
    variables = TEMPLATE.environment | credentials | {"PATH": os.environ["PATH"]}
    # -S leaves out the modules that this environment loads by itself at the start.
    path = f"import sys; sys.path[:] = {[str(ROOT), *sys.path]!r}"
    command = [sys.executable, "-I", "-S", "-B", "-c", path + CODE, OPEN, *(set(FUNCTIONS) - {OPEN})]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return {function: set(modules) for function, *modules in map(json.loads, done.stdout.splitlines())}


def imported(function: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter has loaded once it has the handler."""
    return _imported()[function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_does_not_load_what_no_function_needs(function: str) -> None:
    assert not (NOWHERE - (OF_OPENAI if function == "execute_run" else set())) & imported(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_handlers_that_read_a_body_or_call_the_model_load_pydantic(function: str) -> None:
    assert ("pydantic" in imported(function)) == (function in WITH_PYDANTIC)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_function_that_calls_the_model_loads_openai(function: str) -> None:
    assert ("openai" in imported(function)) == (function == "execute_run")


@pytest.mark.parametrize("function", sorted({*FUNCTIONS} - WITH_RUNS))
def test_functions_of_messages_load_nothing_of_runs(function: str) -> None:
    assert not {name for name in imported(function) if name.startswith("shared.runs")}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_handlers_that_know_runs_load_them(function: str) -> None:
    found = {name for name in imported(function) if name.startswith("shared.runs")}

    assert bool(found) == (function in WITH_RUNS)
    assert function != "publish_events" or found == OF_EVENTS


def test_what_is_open_to_everybody_can_reach_no_table_and_no_key() -> None:
    loaded = imported(OPEN)

    assert not {name for name in loaded if name.startswith(("botocore.client", "shared.store"))}
    assert {name for name in loaded if name.startswith("shared.")} == {
        "shared.log",
        "shared.public",
        "shared.responses",
        "shared.settings",
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_loads_no_other_handler(function: str) -> None:
    handlers = {name.split(".")[1] for name in imported(function) if name.startswith("functions.")}
    assert handlers == {function}
