"""If AWS does not respond, each function ends by itself within its time-out. An operation responds with a clean 503."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support import expected
from tests.support.client import OPERATIONS
from tools.local import template

EVENT_FUNCTIONS = ["ingest_message", "erase_thread", "queue_jobs", "publish_events", "sweep_threads"]
RUNS = {
    "hang": ("hang", *OPERATIONS, *EVENT_FUNCTIONS),
    "slow, then hang": ("slow", "create_message"),
}
Ended = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def ended() -> Ended:
    """Run all functions, each in its own process. Return each function's response and its seconds."""
    command = [sys.executable, "-m", "tests.support.hanging"]
    started = {
        name: subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
        for name, arguments in RUNS.items()
    }
    try:
        return {
            name: json.loads(process.communicate(timeout=90)[0].splitlines()[-1]) for name, process in started.items()
        }
    finally:
        for process in started.values():
            process.kill()
            process.wait()


def _timeouts() -> dict[str, float]:
    return {function.handler.split(".")[1]: function.timeout for function in template.load().functions}


@pytest.mark.parametrize("run", RUNS)
def test_an_operation_on_a_table_that_does_not_answer_is_a_503_in_time(ended: Ended, run: str) -> None:
    functions = [name for name in RUNS[run] if name in OPERATIONS]
    assert functions
    for function in functions:
        answer, seconds = ended[run][function]["answer"], ended[run][function]["seconds"]
        assert (answer["statusCode"], json.loads(answer["body"])) == (503, expected.BUSY), function
        assert answer["headers"]["retry-after"] == "1"
        assert seconds < _timeouts()[function] - 2, function


def test_an_event_function_fails_in_time_and_is_called_again(ended: Ended) -> None:
    found = {name: ended["hang"][name] for name in EVENT_FUNCTIONS}
    assert {name: one["answer"] for name, one in found.items()} == {
        "ingest_message": {"batchItemFailures": [{"itemIdentifier": "1"}]},
        "erase_thread": "BusyError",
        "queue_jobs": "ReadTimeoutError",
        "publish_events": "ReadTimeoutError",
        "sweep_threads": "BusyError",
    }
    # A batch of commands has ten.
    assert 10 * found["ingest_message"]["seconds"] < _timeouts()["ingest_message"]
    assert all(one["seconds"] < _timeouts()[name] - 2 for name, one in found.items())
