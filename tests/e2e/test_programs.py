"""Runs the ten commonest kinds of programs that use `client.beta.threads`, unmodified, and checks all their output.

We wrote the programs in tests/programs/ in the style of public ones. They get only OPENAI_BASE_URL and OPENAI_API_KEY.
They run with the SDK of their time and with the newest SDK.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.conftest import SDK_KEYS
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
# Calls with two ids have another form since 5.x, so two of these programs run with only one of the SDKs.
_OLD, _NEW = versions.NODE
_OF_BOTH = {"newest": PYTHON["newest"], "event_handler": _EVENTS}
NODE = {
    _OLD: _OF_BOTH | {"bare_loop": f"{_DEMO} You said: A poem about rain\n"},
    _NEW: _OF_BOTH | {"functions": _FUNCTIONS},
}


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Yield the base URL of a local API that has the model of the README."""
    with serving(MODEL_URL="demo", API_KEYS=SDK_KEYS) as api:
        yield api.base_url


@pytest.mark.parametrize("version", [next(iter(versions.PYTHON)), versions.NEWEST_PYTHON])
def test_programs_in_python_run_unmodified_and_find_their_threads_again_after_a_restart(
    version: str, base_url: str, tmp_path: Path
) -> None:
    surroundings = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": f"sk-{version}"}
    programs = [[str(PROGRAMS / f"{program}.py")] for program in PYTHON]
    kept = str(PROGRAMS / "kept_thread.py")
    users = [[kept, "ann", "I like tea"], [kept, "bob", "I like rum"]]

    *printed, ann, bob = run_programs(version, tmp_path, *programs, *users, **surroundings)
    (restarted,) = run_programs(version, tmp_path, [kept, "ann", "And milk"], **surroundings)

    assert dict(zip(PYTHON, printed, strict=True)) == PYTHON
    assert ann == f"Hello, ann\n{_DEMO} You said: I like tea\n2 messages\n"
    assert bob == f"Hello, bob\n{_DEMO} You said: I like rum\n2 messages\n"
    assert restarted == f"Welcome back, ann\n{_DEMO} You said: And milk\n4 messages\n"


@pytest.mark.parametrize("version", NODE)
def test_programs_in_node_run_unmodified(version: str, base_url: str, tmp_path: Path) -> None:
    node = install_node(version, tmp_path)
    shutil.copytree(PROGRAMS, tmp_path, dirs_exist_ok=True)
    surroundings = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": f"sk-{version}"}
    printed = {program: run_node(node, tmp_path, f"{program}.mjs", **surroundings).stdout for program in NODE[version]}
    assert printed == NODE[version]
