"""Every command and block of the README is run, or, where it needs AWS or Docker, held against what there is."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.e2e import readme, versions
from tests.e2e.isolated import run_python
from tests.support.local_api import ROOT, LocalApi, environment, serving
from tools.local.template import STACK, load

_MARKS = {
    "",
    "serves",
    "serves, needs Java",
    "needs Java",
    "sets the environment",
    "not run, the test has installed it",
    "not run, needs AWS",
    "not run, needs Docker",
    "not run, tests/local/test_event_side.py runs them",
    "not run, tests/e2e/test_responder.py runs it",
}
_SECONDS = 60


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    """Yield the local API that the README's first block starts."""
    with serving(API_KEYS="demo=sk-demo") as served:
        yield served


def _shell(text: str, **own: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=ROOT,
        env=environment(**own),
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )


def _command_of(block: readme.Block) -> str:
    (command,) = block.commands
    return command


def test_every_mark_is_one_that_the_tests_know() -> None:
    assert {block.mark for block in readme.blocks("sh")} <= _MARKS
    fences = re.findall(r"^```(\w+)$", readme.TEXT, re.MULTILINE)
    assert set(fences) == {"sh", "python", "text", "json"}


def test_the_sample_command_is_one_that_is_taken() -> None:
    (block,) = readme.blocks("json")
    schema = json.loads((ROOT / "schemas" / "command.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(block.text) | {"thread_id": "thread_1"}, schema)


@pytest.mark.parametrize("block", readme.blocks("sh", "serves"), ids=_command_of)
def test_the_commands_that_serve_do(block: readme.Block, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if "Java" in block.mark:
        request.getfixturevalue("dynamodb_local")  # skips without Java
    process = subprocess.Popen(
        ["bash", "-c", block.text],
        cwd=ROOT,
        env=environment(PORT="0", HOME=str(tmp_path), PYENV_ROOT=str(Path.home() / ".pyenv")),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while "client = OpenAI(" not in said:
            line = process.stdout.readline()
            assert line, f"it ended after {said!r}"
            said += line
        for project, secret in re.findall(r"([a-z]+)(?:\+trusted)?=(sk-\w+)", block.text):
            assert f"API key of project {project}: {secret}\n" in said
        if "DATA=" in block.text:
            assert (tmp_path / "message-api-data" / "shared-local-instance.db").exists()
    finally:
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        process.communicate(timeout=_SECONDS)


def test_the_python_code_prints_what_the_readme_says(api: LocalApi, tmp_path: Path) -> None:
    (variables,) = readme.blocks("sh", "sets the environment")
    set_by_reader = dict(command.removeprefix("export ").split("=", 1) for command in variables.commands)
    assert set_by_reader == {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1", "OPENAI_API_KEY": "sk-demo"}
    script = tmp_path / "readme.py"
    script.write_text("\n".join(block.text for block in readme.blocks("python")), encoding="utf-8")
    ours = set_by_reader | {"OPENAI_BASE_URL": api.base_url}
    run = run_python(versions.NEWEST_PYTHON, "-W", "ignore", script, **ours)
    printed = "".join(block.text for block in readme.blocks("text"))
    assert (run.returncode, run.stdout) == (0, printed)


@pytest.mark.parametrize("block", readme.blocks("sh", ""), ids=_command_of)
def test_the_other_commands_run(api: LocalApi, block: readme.Block) -> None:
    run = _shell(block.text.replace("http://127.0.0.1:8000/v1", api.base_url))
    assert run.returncode == 0, run.stderr
    expected = '{"message":"Too Many Requests"}' if "x-local-gateway" in block.text else '"statusCode": 200'
    assert expected in run.stdout


def test_the_keys_commands_run(dynamodb_local: str) -> None:
    (block,) = readme.blocks("sh", "needs Java")
    with serving(DYNAMODB_URL=dynamodb_local):  # makes the table
        run = _shell(block.text.replace("http://127.0.0.1:8001", dynamodb_local))
    assert run.returncode == 0, run.stderr
    first, second, *listed = run.stdout.splitlines()
    assert first.startswith("sk-")
    assert second.startswith("sk-")
    assert sorted(line.split("\t")[1:3] for line in listed) == [["alpha", "laptop"], ["alpha", "responder"]]


def _commands(start: str) -> list[list[str]]:
    """Return, as words, the commands of all shell blocks that begin so."""
    found = [shlex.split(command) for block in readme.blocks("sh") for command in block.commands]
    return [command for command in found if command[: len(start.split())] == start.split()]


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^|[A-Z_]+=\S+ )make ([a-z]+)", readme.TEXT, re.MULTILINE))
    assert named == {
        "local",
        "test",
        "keys",
        "invoke",
        "events",
        "command",
        "respond",
        "openapi",
        "bench",
        "import",
        "export",
        "copy",
    }
    for target in named:
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target


def test_what_is_deployed_is_named_right() -> None:
    deployed = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))["default"]["deploy"]["parameters"]
    assert deployed["stack_name"] == STACK
    (key,) = [words for words in _commands("make keys") if "--stack" in words[2]]
    assert key[2].startswith(f"ARGS=--stack {STACK} create ")
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    (override,) = [words[-1] for words in _commands("sam deploy") if len(words) > 2]
    for name in [*re.findall(r"(\w+)=", override), "ThrottleRate", "ThrottleBurst", "BaseUrl"]:
        assert re.search(rf"^  {name}:$", template, re.MULTILINE), name


@pytest.mark.parametrize("command", ["create", "list", "revoke"])
def test_the_options_of_the_keys_command_exist(command: str) -> None:
    helps = [_keys_help(), _keys_help(command)]
    for words in _commands("make keys"):
        options, arguments = words[2].removeprefix("ARGS=").split(f" {command}", 1) if command in words[2] else ("", "")
        for text, told in zip((options, arguments), helps, strict=True):
            assert all(option in told for option in re.findall(r"--[a-z-]+", text))


def _keys_help(*command: str) -> str:
    # Any table: help is shown before it is looked at.
    arguments = ["--table", "t", *command, "--help"] if command else ["--help"]
    run = subprocess.run(
        [sys.executable, "-m", "tools.cli.keys", *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_what_runs_in_docker_is_named_right() -> None:
    functions = {function.name: function for function in load().functions}
    (invoke,) = _commands("sam local invoke")
    name, event = invoke[3], invoke[invoke.index("-e") + 1]
    assert event == f"events/{functions[name].handler.split('.')[1]}.json"
    assert (ROOT / event).is_file()
    (variables,) = _commands("echo")
    for variable in re.findall(r'"([A-Z_]+)": "', variables[1]):
        assert variable in functions[name].environment
    assert load().table["TableName"] in variables[1]


def test_the_table_of_operations_is_that_of_the_template() -> None:
    routes = {
        function.handler.split(".")[1]: {
            route.key for route in function.routes if not route.path.startswith(("/v1", "/openai"))
        }
        for function in load().functions
        if function.routes
    }
    told = {}
    for operation, route, _, function, event in readme.rows("## Operations"):
        name = function[1:].split("]")[0]
        assert function == f"[{name}](functions/{name}.py)"
        assert event == f"[event](events/{name}.json)"
        assert operation in (name.replace("_", " "), "anything else")
        told[name] = {route.strip("`")}
    assert told == routes


def test_every_link_leads_somewhere() -> None:
    assert [link for link in readme.links() if not (link.startswith("https://") or (ROOT / link).exists())] == []


def test_the_folders_and_modules_it_names_exist() -> None:
    for path in re.findall(r"`((?:tests|functions|docs|local|events|shared)/[\w./]*)`", readme.TEXT):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"\blocal\.(\w+)\b", readme.TEXT):
        assert (ROOT / "local" / f"{module}.py").exists(), module


def test_the_versions_of_the_sdks_are_those_of_the_tests() -> None:
    tried = readme.TEXT.split("## Tried with")[1]
    assert set(re.findall(r"\d+\.\d+\.\d+", tried)) == {*versions.PYTHON, *versions.NODE}
    assert list(versions.PYTHON)[-1] == versions.NEWEST_PYTHON


def test_the_variables_it_names_are_those_that_are_read() -> None:
    source = (ROOT / "local" / "settings.py").read_text(encoding="utf-8")
    told = {cells[0].strip("`") for cells in readme.rows("## Running it on your machine")}
    assert told == set(re.findall(r'environment\.get\("(\w+)"\)', source))
