"""The ten commonest shapes of programs that use `client.beta.threads`, unmodified, and all that they print.

The programs in tests/programs/ are our own, in the manner of public ones. They know only OPENAI_BASE_URL and
OPENAI_API_KEY, and run with the SDK of their time and with the newest.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import install_node, run_node, run_programs
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


# Each kind of SDK has a project of its own.
_VERSIONS = (next(iter(versions.PYTHON)), versions.NEWEST_PYTHON, *NODE)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Yield the base URL of a local API with the model of the README."""
    keys = ",".join(f"of-{number}=sk-{version}" for number, version in enumerate(_VERSIONS))
    with serving(MODEL_URL="demo", API_KEYS=keys) as api:
        yield api.base_url


def _known(base_url: str, version: str) -> dict[str, str]:
    """Return all that a program knows of the API."""
    return {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": f"sk-{version}"}


def _printed(version: str, folder: Path, base_url: str, *commands: tuple[str, ...]) -> list[str]:
    """Run programs in Python in a folder, each with its arguments; return what each prints."""
    found = [[f"{PROGRAMS / program}.py", *arguments] for program, *arguments in commands]
    return run_programs(version, folder, *found, **_known(base_url, version))


@pytest.mark.parametrize("version", _VERSIONS[:2])
def test_programs_in_python_run_unmodified(version: str, base_url: str, tmp_path: Path) -> None:
    printed = _printed(version, tmp_path, base_url, *((program,) for program in PYTHON))
    assert dict(zip(PYTHON, printed, strict=True)) == PYTHON


@pytest.mark.parametrize("version", _VERSIONS[:2])
def test_a_program_finds_its_thread_again_after_a_restart(version: str, base_url: str, tmp_path: Path) -> None:
    before = _printed(version, tmp_path, base_url, ("kept_thread", "ann", "I like tea"), ("kept_thread", "bob", "Hi"))
    after = _printed(version, tmp_path, base_url, ("kept_thread", "ann", "And milk"))

    assert before == [
        f"Hello, ann\n{_DEMO} You said: I like tea\n2 messages\n",
        f"Hello, bob\n{_DEMO} You said: Hi\n2 messages\n",
    ]
    assert after == [f"Welcome back, ann\n{_DEMO} You said: And milk\n4 messages\n"]


@pytest.mark.parametrize("version", NODE)
def test_programs_in_node_run_unmodified(version: str, base_url: str, tmp_path: Path) -> None:
    node, known = install_node(version, tmp_path), _known(base_url, version)
    shutil.copytree(PROGRAMS, tmp_path, dirs_exist_ok=True)
    printed = {program: run_node(node, tmp_path, f"{program}.mjs", **known).stdout for program in NODE[version]}
    assert printed == NODE[version]
