"""`./message-api`: it sets itself up, explains and completes each command, and ends all processes that it started."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import click
import pytest

from tests.support import program
from tests.support.local_api import ROOT, environment
from tools.cli.program import program as group

_MADE_HERE = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
_GROUPS = {"keys", "events", "commands"}


def _script(folder: Path, *arguments: str, script: Path = ROOT / "message-api", **own: str) -> tuple[int, str, str]:
    run = subprocess.run(
        [script, *arguments],
        cwd=folder,
        env=environment(**own),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return run.returncode, run.stdout, run.stderr


def test_a_fresh_copy_sets_itself_up_once_and_works_from_any_directory(tmp_path: Path) -> None:
    copy, elsewhere = tmp_path / "a copy", tmp_path / "elsewhere"
    shutil.copytree(ROOT, copy, ignore=_MADE_HERE)
    elsewhere.mkdir()
    (elsewhere / "click.py").write_text("raise ImportError('the current directory is none of ours')")

    first = _script(elsewhere, "--help", script=copy / "message-api", PYTHONPATH="")
    ready = (copy / ".venv" / "ready").stat().st_mtime_ns
    link = elsewhere / "message-api"
    link.symlink_to(copy / "message-api")
    second = _script(elsewhere, "--help", script=link, PYTHONPATH="")

    assert first[1].startswith("Usage: message-api [OPTIONS] COMMAND")
    assert second == (0, first[1], "")
    assert (copy / ".venv" / "ready").stat().st_mtime_ns == ready


def test_a_file_is_looked_for_in_the_current_directory(tmp_path: Path) -> None:
    (tmp_path / "reply.json").write_text("{}")

    told = (1, "", "Error: no local API on port 9: Connection refused\n")
    assert _script(tmp_path, "commands", "send", "reply.json", PORT="9") == told


def test_output_that_is_not_read_to_its_end_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    command = subprocess.run(
        [ROOT / "message-api", "invoke", "create_thread"],
        env=environment(),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)

    assert (command.returncode, command.stderr) == (1, "")


def _all_commands() -> list[tuple[str, ...]]:
    names: list[tuple[str, ...]] = []
    for name in group.list_commands(click.Context(group)):
        listed = program.invoke(name, "--help").output.partition("\nCommands:\n")[2] if name in _GROUPS else ""
        names += [(name, line.split()[0]) for line in listed.splitlines() if line.strip()] or [(name,)]
    return names


@pytest.mark.parametrize("command", _all_commands(), ids=" ".join)
def test_the_help_of_a_command_has_an_example_of_it(command: tuple[str, ...]) -> None:
    result = program.invoke(*command, "--help")

    assert (result.exit_code, result.stderr) == (0, "")
    example = result.output.partition("\nExample:\n" if "\nExample:\n" in result.output else "  Example:\n")[2]
    words = example.split()
    assert tuple(words[: len(command) + 1]) == ("./message-api", *command)
    assert {word for word in words if word.startswith("--")} <= {*result.output.partition("Options:")[2].split()}


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("message-api ev", ["events"]),
        ("message-api events ", ["replay", "tail"]),
        ("message-api check --st", ["--stack"]),
    ],
)
def test_the_tab_key_completes(words: str, completed: list[str]) -> None:
    # The call is that of the function that bash_source prints.
    own = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    found = program.invoke(**own, _MESSAGE_API_COMPLETE="bash_complete")

    assert (found.exit_code, found.stderr) == (0, "")
    assert [line.partition(",")[2] for line in found.stdout.splitlines()] == completed


def test_make_local_ends_all_that_it_started_when_its_process_group_is_terminated(
    dynamodb_local: str, tmp_path: Path
) -> None:
    local = subprocess.Popen(
        ["make", "--no-print-directory", "local"],
        cwd=ROOT,
        env=environment(DATA=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert local.stdout is not None
        assert "Message API at " in local.stdout.readline()
        engine = int((tmp_path / "engine.pid").read_text())
        os.killpg(local.pid, signal.SIGTERM)
        local.communicate(timeout=60)
        with pytest.raises(ProcessLookupError):
            os.kill(engine, 0)
        with pytest.raises(ProcessLookupError):
            os.killpg(local.pid, 0)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(local.pid, signal.SIGKILL)
