"""The official SDKs, unmodified, with assistants and runs: as runs_sdk and streams_sdk, .py and .mjs, ask them."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import versions
from tests.e2e.isolated import install_node, run_node, run_python
from tests.e2e.lossy import losing_answers
from tests.e2e.test_python_sdk import PYTEST
from tests.support.chat_stub import Reply, calls, chatting, fails, says
from tests.support.local_api import ROOT, serving

_SCRIPTS = ("runs_sdk", "streams_sdk")
_PYTHON, _NODE = ([Path(__file__).with_name(f"{name}.{kind}") for name in _SCRIPTS] for kind in ("py", "mjs"))
_SECONDS_TO_WAIT = 4.0


@contextmanager
def _surroundings(**own: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a script: a local API of its own, with a model."""
    keys = {"API_KEYS": "alpha=sk-alpha,beta=sk-beta"}
    with (
        chatting(_respond) as chat,
        serving(MODEL_URL=chat.base_url, **keys, **own) as api,
        losing_answers(api.base_url) as lossy,
    ):
        yield {
            "OPENAI_BASE_URL": api.base_url,
            "OPENAI_API_KEY": "sk-alpha",
            "OTHER_API_KEY": "sk-beta",
            "LOSSY_BASE_URL": lossy,
        }


def _respond(asked: dict[str, Any]) -> Reply:
    """Return what the scripts expect of a model."""
    messages = asked["messages"]
    outputs = [message["content"] for message in messages if message["role"] == "tool"]
    if outputs:
        return says("The functions returned: ", ", ".join(outputs))
    if asked.get("tools"):
        return calls(("call_1", "get_weather", '{"city":"Rome"}'), ("call_2", "get_weather", '{"city":"Oslo"}'))
    content = messages[-1]["content"]
    if content == "Wait":
        time.sleep(_SECONDS_TO_WAIT)
    special = {
        "Fail": fails(400),
        "Half": replace(says("Half", finish=None), between=lambda: time.sleep(0.5)),
        "Slowly": replace(says(*"slowly"), between=lambda: time.sleep(0.3)),
    }
    return special.get(content) or says("You said: ", content)


@pytest.mark.parametrize("version", versions.PYTHON)
def test_the_official_python_sdk_runs_assistants(version: str, request: pytest.FixtureRequest) -> None:
    """The newest version has its table in DynamoDB Local, the older ones in memory."""
    is_newest = version == versions.NEWEST_PYTHON
    own = {"DYNAMODB_URL": request.getfixturevalue("dynamodb_local")} if is_newest else {}
    with _surroundings(**own) as surroundings:
        folder = {"PYTHONPATH": str(ROOT)}
        run = run_python(version, *PYTEST, *_PYTHON, EXPECTED_VERSION=version, **folder, **surroundings)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("version", versions.NODE)
def test_the_official_node_sdk_runs_assistants(version: str, tmp_path: Path) -> None:
    node = install_node(version, tmp_path)
    for script in _NODE:
        shutil.copy(script, tmp_path)
    with _surroundings() as surroundings:
        scripts = [script.name for script in _NODE]
        run = run_node(node, tmp_path, "--test", *scripts, EXPECTED_VERSION=version, **surroundings)
    assert run.returncode == 0, run.stdout
    assert "# fail 0" in run.stdout
