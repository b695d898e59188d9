"""The ten commonest shapes of programs that use `client.beta.threads`, unmodified, and all that they print.

The programs in tests/programs/ are our own, in the manner of public ones. They know only OPENAI_BASE_URL and
OPENAI_API_KEY, and run with the SDK of their time and with the newest.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import install_node, run_node, run_python_with
from tests.support.local_api import ROOT, serving

PROGRAMS = ROOT / "tests" / "programs"
_DEMO = "This is a demo without a model."
_SPOKEN = "assistant > This| is| a| demo| without| a| model.|"

PYTHON = {
    "whole_page": f"""\
# Messages
user: What is 2 + 2?
assistant: {_DEMO} You said: What is 2 + 2?

# Messages
user: What is 2 + 2?
assistant: {_DEMO} You said: What is 2 + 2?
user: And 3 + 3?
assistant: {_DEMO} You said: And 3 + 3?

user > What is 2 + 2?
assistant > {_DEMO} You said: What is 2 + 2?
user > And 3 + 3?
assistant > {_DEMO} You said: And 3 + 3?
""",
    "newest": f"{_DEMO} You said: Why is the sky blue?\n",
    "first_of_assistant": f"""\
{_DEMO} You said: Where is it warm in May?
{_DEMO} You said: How do I get there?
""",
    "of_the_run": f"""\
assistant: {_DEMO} You said: Good morning
assistant: {_DEMO} You said: Good night
""",
    "bare_loop": f"completed\n{_DEMO} You said: A poem about rain\n",
    "functions": f"""\
Calling get_weather with {{'city': 'Rome', 'unit': 'c'}}
Calling get_time with {{}}
{_DEMO} The functions returned: {{"city": "Rome", "temperature": "21", "unit": "c"}}, 12:30
message_creation completed
tool_calls completed
""",
    "create_and_run": f"{_DEMO} You said: Analyze this section:\n\nSales rose by 4 %.\n",
    "event_handler": f"""\
{_SPOKEN} You| said:| Hello|
{_DEMO} You said: Hello
assistant > function get_rain
{_SPOKEN} The| functions| returned:| 0.06| in| Rome|
{_DEMO} The functions returned: 0.06 in Rome
""",
    "events": f"{_DEMO} You said: Tell me a joke\n19 tokens\n",
    "by_name": f"""\
Created the assistant
Found the assistant
True
{_DEMO} You said: What goes with rice?
""",
}
_FUNCTIONS = f"""\
Calling getWeather with {{"city": "Rome"}}
Calling getTime with {{}}
{_DEMO} The functions returned: {{"city":"Rome","temperature":21}}, "12:30"
"""
_EVENTS = f"""\
{_SPOKEN} You| said:| Hello|
{_DEMO} You said: Hello
completed
assistant > function
getRain({{}})
requires_action
"""
# Calls with two ids have another form since 5.x: two of these programs are of one time only.
_OLD, _NEW = versions.NODE
_OF_BOTH = {"newest": PYTHON["newest"], "event_handler": _EVENTS}
NODE = {
    _OLD: _OF_BOTH | {"bare_loop": f"{_DEMO} You said: A poem about rain\n"},
    _NEW: _OF_BOTH | {"functions": _FUNCTIONS},
}


@pytest.fixture(scope="module", params=[next(iter(versions.PYTHON)), versions.NEWEST_PYTHON])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def surroundings(version: str) -> Iterator[dict[str, str]]:
    with _serving() as found:
        yield found


@contextmanager
def _serving() -> Iterator[dict[str, str]]:
    """Yield all that a program knows of the local API, which has the model of the README."""
    with serving(MODEL_URL="demo") as api:
        yield {"OPENAI_BASE_URL": api.base_url, "OPENAI_API_KEY": api.api_key}


def _printed(version: str, folder: Path, surroundings: dict[str, str], program: str, *arguments: str) -> str:
    """Run a program in Python in a folder and return what it prints, but for the SDK's warnings of a deprecated API."""
    packages = [f"openai=={version}", *versions.PYTHON[version]]
    command: list[str | Path] = ["-Wignore::DeprecationWarning", PROGRAMS / f"{program}.py", *arguments]
    return run_python_with(packages, folder, *command, **surroundings).stdout


@pytest.mark.parametrize("program", PYTHON)
def test_a_program_in_python_runs_unmodified(
    program: str, version: str, surroundings: dict[str, str], tmp_path: Path
) -> None:
    assert _printed(version, tmp_path, surroundings, program) == PYTHON[program]


def test_a_program_finds_its_thread_again_after_a_restart(
    version: str, surroundings: dict[str, str], tmp_path: Path
) -> None:
    printed = partial(_printed, version, tmp_path, surroundings, "kept_thread")

    assert printed("ann", "I like tea") == f"Hello, ann\n{_DEMO} You said: I like tea\n2 messages\n"
    assert printed("bob", "I like rum") == f"Hello, bob\n{_DEMO} You said: I like rum\n2 messages\n"
    assert printed("ann", "And milk") == f"Welcome back, ann\n{_DEMO} You said: And milk\n4 messages\n"


@pytest.mark.parametrize("of_node", NODE)
def test_programs_in_node_run_unmodified(of_node: str, tmp_path: Path) -> None:
    node = install_node(of_node, tmp_path)
    shutil.copytree(PROGRAMS, tmp_path, dirs_exist_ok=True)
    with _serving() as found:
        printed = {program: run_node(node, tmp_path, f"{program}.mjs", **found).stdout for program in NODE[of_node]}
    assert printed == NODE[of_node]
