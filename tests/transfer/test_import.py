"""The import command: what it says, its exit codes, and that a dry run writes nothing."""

import resource
from pathlib import Path
from typing import Any

import pytest

from shared.store import api_keys
from tests.support import expected, fault_injection, program, stream
from tests.support.client import Client
from tests.support.fault_injection import Fault
from tests.support.imported import THREAD, jsonl, message, thread
from tests.transfer import commands

GOOD = [thread(), message("msg_a"), message("msg_b")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "threads.jsonl"
    found.write_bytes(jsonl(*GOOD))
    return found


def test_an_import_says_what_it_did(client: Client, file: Path) -> None:
    first = commands.run("import", "--project", client.project, file)
    second = commands.run("import", "--project", client.project, file)

    said = "imported 1 threads with 2 messages, 0 threads exist already, 0 refused\n"
    assert (first.exit_code, first.stdout, first.stderr) == (0, said, "")
    said = "imported 0 threads with 0 messages, 1 threads exist already, 0 refused\n"
    assert (second.exit_code, second.stdout, second.stderr) == (0, said, "")
    assert client.page(THREAD, order="asc") == expected.page(GOOD[1:])


def test_a_refused_line_is_named_and_makes_the_exit_code(client: Client, file: Path) -> None:
    file.write_bytes(jsonl(thread(), "x", message("msg_a")))

    found = commands.run("import", "--project", client.project, file)

    said = "imported 1 threads with 1 messages, 0 threads exist already, 1 refused\n"
    assert (found.exit_code, found.stdout) == (1, said)
    assert found.stderr == f"{file}:2: it is not valid JSON: expecting value at line 2, column 1\n"
    assert client.page(THREAD) == expected.page([message("msg_a")])


def test_a_dry_run_says_the_same_and_writes_nothing(client: Client, file: Path) -> None:
    from tests.support.imported import brought

    brought(client, thread("thread_there"), thread("thread_gone"))
    client.create("delete_thread", "thread_gone")
    more: list[Any] = [thread("thread_there"), "x", thread("thread_gone"), message("msg_z", thread_id="thread_gone")]
    file.write_bytes(jsonl(*GOOD, *more))
    before = stream.images()

    rehearsed = commands.run("import", "--project", client.project, "--dry-run", file)

    assert stream.images() == before
    said = "would import 1 threads with 2 messages, 1 threads exist already, 2 refused\n"
    assert (rehearsed.exit_code, rehearsed.stdout) == (1, said)
    done = commands.run("import", "--project", client.project, file)
    assert (done.stdout, done.stderr) == (said.replace("would import", "imported"), rehearsed.stderr)


def test_the_file_may_be_standard_input(client: Client) -> None:
    found = commands.run("import", "--project", client.project, "-", stdin=jsonl(*GOOD, "x"))

    assert (found.exit_code, found.stderr) == (1, "-:4: it is not valid JSON: expecting value at line 4, column 1\n")
    assert client.page(THREAD, order="asc") == expected.page(GOOD[1:])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--project", "A b", "FILE"), 2, api_keys.PROJECT_RULE),
        (("FILE",), 2, "Missing option '--project'."),
        (("--project", "alpha", "nothing.jsonl"), 2, "Path 'nothing.jsonl' does not exist."),
    ],
)
def test_what_cannot_be_done_is_one_line(file: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    found = commands.run("import", *(str(file) if one == "FILE" else one for one in arguments))

    assert (found.exit_code, found.stdout) == (code, "")
    assert said in found.stderr.splitlines()[-1]


def test_no_table_is_a_usage_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("TABLE_NAME")
        found = program.invoke("import", "--project", "alpha", file)

    assert found.exit_code == 2
    assert found.stderr.endswith("Error: Name the table: --stack, --table or --endpoint-url.\n")


def test_a_file_of_another_kind_is_one_line(client: Client, file: Path) -> None:
    file.write_bytes(b"id,role,content\n" * 200)

    found = commands.run("import", "--project", client.project, file)

    said = "imported 0 threads with 0 messages, 0 threads exist already, 1 refused\n"
    first = f"{file}:1: it is not valid JSON: expecting value at line 1, column 1"
    told = f"{file}: none of its first 100 lines or objects is a thread, message or assistant. {first}\n"
    assert (found.exit_code, found.stdout, found.stderr) == (1, said, told)


def test_a_table_that_cannot_be_reached_is_one_line(
    client: Client, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.transfer import staging

    monkeypatch.setattr(staging, "_TRIES", 2)
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.timeout, times=0)):
        found = commands.run("import", "--project", client.project, file)

    told = (
        "Error: the table is too busy or cannot be reached (ConnectTimeoutError): "
        "run the same command again; what is done stays done\n"
    )
    assert (found.exit_code, found.stdout, found.stderr) == (1, "", told)


def test_credentials_without_the_right_are_one_line(client: Client, file: Path) -> None:
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"), times=0)):
        found = commands.run("import", "--project", client.project, file)

    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (1, "", 1)
    assert found.stderr.startswith("Error: ClientError: An error occurred (AccessDeniedException)")


def _no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))


def test_a_full_disk_is_one_line(file: Path) -> None:
    """No file may grow past 1 MB: what is read is kept in one."""
    import subprocess
    import sys

    from tests.support.local_api import ROOT, environment

    file.write_bytes(jsonl(thread(), *(message(f"msg_{number}", "x" * 100_000) for number in range(60))))
    found = subprocess.run(
        [sys.executable, "-m", "tools.cli", "import", "--table", "t", "--project", "alpha", str(file)],
        cwd=ROOT,
        env=environment(AWS_DEFAULT_REGION="us-east-1"),
        preexec_fn=_no_room,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("Error: no room for what is read from the files (")
    assert found.stderr.endswith("): set TMPDIR to another folder\n")
    assert found.stderr.count("\n") == 1


def test_an_example_that_is_there_is_left_alone(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """As when `make local` starts again with EXAMPLE=1 on data that it kept."""
    from tests.support.event_sources import asked, erase
    from tools.local import example

    example.put([client.project])
    client.create("delete_message", "thread_abc123", "msg_abc12")
    example.put([client.project])
    assert [found["id"] for found in client.page("thread_abc123")["data"]] == ["msg_abc123"]

    client.create("delete_thread", "thread_abc123")
    example.put([client.project])
    told = "EXAMPLE: thread_abc123 is being erased or created, or has expired: import it again in some minutes\n"
    assert capsys.readouterr().err == told
    erase(asked(f"{client.project}#thread_abc123"))
    example.put([client.project])
    assert len(client.page("thread_abc123")["data"]) == 2
