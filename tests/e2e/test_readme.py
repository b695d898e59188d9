"""Runs each block of README.md, docs/local.md and docs/api.md. Checks that all things that documents name exist."""

import json
import os
import re
import shlex
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from tests.e2e import readme, versions
from tests.e2e.isolated import run_python
from tests.support.local_api import ROOT, LocalApi, environment, serving
from tools.cli.serve import serve
from tools.local.template import STACK, load
from tools.openapi.routes import ROUTES

# The documents whose blocks this module runs, one after the other.
RUN = readme.TEXT + readme.LOCAL + readme.API
_MARKS = {
    "",
    "copies",
    "serves",
    "serves, needs Java",
    "needs Java",
    "sets the environment",
    "not run, the test has installed it",
    "not run, needs AWS",
    "not run, needs a model",
    "not run, needs Docker",
    "not run, tests/local/test_event_side.py runs them",
    "not run, tests/e2e/test_responder.py runs it",
    "not run, CI runs them",
}
_GROUPS = {"keys", "events", "commands"}
_SECONDS = 60
_MAX_README_LINES = 180


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    """Yield the local API that the README's first block starts."""
    with serving(MODEL_URL="demo", API_KEYS="demo=sk-demo") as served:
        yield served


def _command_of(block: readme.Block) -> str:
    (command,) = block.commands
    return command


def test_the_readme_is_short() -> None:
    assert len(readme.TEXT.splitlines()) <= _MAX_README_LINES


@pytest.mark.parametrize("name", readme.DOCUMENTS)
def test_every_mark_is_one_that_the_tests_know(name: str) -> None:
    text = readme.DOCUMENTS[name]
    fences = set(re.findall(r"^```(\w+)$", text, re.MULTILINE))
    assert fences <= {"sh", "python", "text", "json", "mermaid"}
    assert {block.mark for language in fences for block in readme.blocks(language, None, text)} <= _MARKS


def test_the_sample_command_is_one_that_is_taken() -> None:
    (block,) = readme.blocks("json", None, readme.LOCAL)
    schema = json.loads((ROOT / "schemas" / "command.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(block.text) | {"thread_id": "thread_1"}, schema)


@pytest.mark.parametrize("block", readme.blocks("sh", "serves", RUN + readme.MIGRATE), ids=_command_of)
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
        if "--data" in block.text:
            assert (tmp_path / "message-api-data" / "shared-local-instance.db").exists()
    finally:
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        process.communicate(timeout=_SECONDS)


def test_the_python_code_prints_what_the_documents_say(api: LocalApi, tmp_path: Path) -> None:
    (variables,) = readme.blocks("sh", "sets the environment")
    set_by_reader = dict(command.removeprefix("export ").split("=", 1) for command in variables.commands)
    assert set_by_reader == {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1", "OPENAI_API_KEY": "sk-demo"}
    script = tmp_path / "readme.py"
    script.write_text("\n".join(block.text for block in readme.blocks("python", None, RUN)), encoding="utf-8")
    ours = set_by_reader | {"OPENAI_BASE_URL": api.base_url}
    run = run_python(versions.NEWEST_PYTHON, "-W", "ignore", script, **ours)
    printed = "".join(block.text for block in readme.blocks("text", None, RUN))
    assert (run.returncode, run.stdout) == (0, printed)


@pytest.mark.parametrize("block", readme.blocks("sh", "", RUN), ids=_command_of)
def test_the_other_commands_run(api: LocalApi, block: readme.Block) -> None:
    run = readme.shell(block.text.replace("http://127.0.0.1:8000/v1", api.base_url))
    assert run.returncode == 0, run.stderr
    expected = '{"message":"Too Many Requests"}' if "x-local-gateway" in block.text else '"statusCode": 200'
    assert expected in run.stdout


def test_the_keys_commands_run(dynamodb_local: str) -> None:
    (block,) = readme.blocks("sh", "needs Java", readme.LOCAL)
    with serving(DYNAMODB_URL=dynamodb_local):  # makes the table
        run = readme.shell(block.text, dynamodb_local)
    assert run.returncode == 0, run.stderr
    first, second, *listed = run.stdout.splitlines()
    assert first.startswith("sk-")
    assert second.startswith("sk-")
    assert sorted(line.split("\t")[1:3] for line in listed) == [["alpha", "laptop"], ["alpha", "responder"]]


def _commands(start: str) -> list[list[str]]:
    """Return the commands of all shell blocks that begin with this text, as lists of words."""
    commands = [shlex.split(command) for block in readme.blocks("sh", None, RUN) for command in block.commands]
    return [command for command in commands if command[: len(start.split())] == start.split()]


@pytest.mark.parametrize("name", readme.DOCUMENTS)
def test_every_make_target_exists(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:`|^|[A-Z_]+=\S+ )make ([a-z-]+)", readme.DOCUMENTS[name], re.MULTILINE)):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target


@pytest.mark.parametrize("name", readme.DOCUMENTS)
def test_every_command_of_the_program_exists_with_its_options(name: str) -> None:
    for words in readme.program_commands(readme.DOCUMENTS[name]):
        command = words[:2] if words[0] in _GROUPS and len(words) > 1 else words[:1]
        told = readme.program_help(*command)
        assert all(option in told for option in re.findall(r"--[a-z-]+", " ".join(words))), words


def test_what_is_deployed_is_named_right() -> None:
    deployed = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))["default"]["deploy"]["parameters"]
    assert deployed["stack_name"] == STACK
    stacks = [
        words[words.index("--stack") + 1]
        for text in readme.DOCUMENTS.values()
        for words in readme.program_commands(text)
        if "--stack" in words
    ]
    assert {*stacks} == {STACK}


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


def test_the_table_of_operations_is_that_of_the_code() -> None:
    routes = {
        function.handler.split(".")[1]: (f"functions/{function.handler.split('.')[1]}.py", {route.key})
        for function in load().functions
        for route in function.routes
        if not route.path.startswith(("/v1", "/openai"))
    }
    for name, (function, method, path) in ROUTES.items():
        routes[name] = (f"functions/{function}/{name}.py", {f"{method} {path}"})
    described = {}
    for operation, route, _, function, event in readme.rows("## Operations"):
        name = function[1:].split("]")[0]
        assert event == f"[event](events/{name}.json)"
        assert operation in (name.replace("_", " "), "anything else")
        described[name] = (function.split("(")[1].rstrip(")"), {route.strip("`")})
    assert described == routes


@pytest.mark.parametrize("name", readme.DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    document = ROOT / name
    for link in readme.links(readme.DOCUMENTS[name]):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert link.startswith("https://") or target.exists(), link
        if anchor:
            assert anchor in readme.anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("name", readme.DOCUMENTS)
def test_the_files_and_folders_it_names_exist(name: str) -> None:
    folders = "functions|shared|tools|browser|docs|events|examples|schemas|benchmarks|tests"
    paths = re.findall(rf"`((?:{folders})/[\w./]*)`", readme.DOCUMENTS[name])
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_versions_of_the_sdks_are_those_of_the_tests() -> None:
    rows = readme.TEXT.split("## Tried with")[1].splitlines()
    tried = [row for row in rows if "once by hand" not in row]
    assert set(re.findall(r"\d+\.\d+\.\d+", "\n".join(tried))) == {
        *versions.PYTHON,
        *versions.NODE,
        versions.AZURE_AGENTS,
    }
    assert list(versions.PYTHON)[-1] == versions.NEWEST_PYTHON


def test_the_three_numbers_are_those_of_the_benchmarks() -> None:
    section = readme.TEXT.split("## Three numbers")[1].split("\n## ")[0]
    summary = readme.DOCUMENTS["docs/performance.md"].split("<!-- summary -->")[1].split("<!-- end of summary -->")[0]
    numbers = re.findall(r"^- \*\*([^*]+)\*\*", section, re.MULTILINE)
    assert len(numbers) == 3
    assert [number for number in numbers if f"| {number} " not in summary] == []


def test_the_options_and_variables_of_serve_are_those_that_it_takes() -> None:
    told = readme.program_help("serve")
    rows = readme.rows("## Settings", readme.LOCAL)
    for options, variable, _ in rows:
        for name in re.findall(r"`([^`]+)`", options + variable):
            assert re.search(rf"(?<![\w-]){name}(?![\w-])", told), name
    variables = {parameter.envvar for parameter in serve.params if isinstance(parameter, click.Option)} - {None}
    assert {row[1] for row in rows} == {f"`{name}`" for name in variables}


def test_a_command_of_any_other_document_says_why_it_is_not_run() -> None:
    run_here = {"README.md", "docs/local.md", "docs/api.md"}
    run_elsewhere = {f"docs/{name}.md" for name in ("migrate", "operate", "cost", "threats")}
    for name in readme.DOCUMENTS.keys() - run_here - run_elsewhere:
        marks = {block.mark for block in readme.blocks("sh", None, readme.DOCUMENTS[name])}
        assert all(mark.startswith("not run, ") for mark in marks), name
