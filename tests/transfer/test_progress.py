"""A terminal shows the progress of a command. Without a terminal, only the result is printed."""

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.imported import jsonl, message, thread
from tools.cli.program import program


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _shown(*arguments: str) -> str:
    """Run a command in a terminal. Return its output."""
    terminal = Terminal()
    with redirect_stderr(terminal), pytest.raises(SystemExit):
        program([arguments[0], "--table", "message-api-Table", *arguments[1:]])
    return terminal.getvalue()


def test_bars_move_and_refused_lines_stand_above_them(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_bytes(jsonl(thread(), "bad", message("msg_a"), thread("thread_b")))

    shown = _shown("import", "--project", client.project, str(file))

    assert "Reading" in shown
    assert f"\r{file}:2: it is not valid JSON: expecting value at line 2, column 1\n" in shown
    assert "0/2" in shown.split("Importing")[1]


def test_an_export_counts_its_threads(client: Client, tmp_path: Path) -> None:
    client.thread()
    client.thread()

    shown = _shown("export", "--project", client.project, str(tmp_path / "out.jsonl"))

    assert "Exporting: 0" in shown
