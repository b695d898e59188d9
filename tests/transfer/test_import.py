"""The import command: its output and exit codes. A dry run writes nothing."""

import socket
from pathlib import Path
from typing import Any

import pytest

from shared.store import api_keys
from tests.support import expected, fault_injection, program, stream
from tests.support.client import Client
from tests.support.event_sources import asked, erase
from tests.support.fault_injection import Fault
from tests.support.imported import THREAD, brought, jsonl, message, thread
from tests.transfer import commands
from tools.local import example
from tools.transfer import staging

GOOD = [thread(), message("msg_a"), message("msg_b")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "threads.jsonl"
    found.write_bytes(jsonl(*GOOD))
    return found


def test_an_import_says_what_it_did(client: Client, file: Path) -> None:
    said = "imported 1 threads with 2 messages, 0 threads exist already, 0 refused\n"
    assert commands.run(client, "import", file) == (0, said, "")
    said = "imported 0 threads with 0 messages, 1 threads exist already, 0 refused\n"
    assert commands.run(client, "import", file) == (0, said, "")
    assert client.page(THREAD, order="asc") == expected.page(GOOD[1:])


def test_a_refused_line_is_named_and_makes_the_exit_code(client: Client, file: Path) -> None:
    file.write_bytes(jsonl(thread(), "x", message("msg_a")))

    said = "imported 1 threads with 1 messages, 0 threads exist already, 1 refused\n"
    error = f"{file}:2: it is not valid JSON: expecting value at line 2, column 1\n"
    assert commands.run(client, "import", file) == (1, said, error)
    assert client.page(THREAD) == expected.page([message("msg_a")])


def test_a_dry_run_says_the_same_and_writes_nothing(client: Client, file: Path) -> None:
    brought(client, thread("thread_there"), thread("thread_gone"))
    client.create("delete_thread", "thread_gone")
    more: list[Any] = [thread("thread_there"), "x", thread("thread_gone"), message("msg_z", thread_id="thread_gone")]
    file.write_bytes(jsonl(*GOOD, *more))
    before = stream.images()

    code, said, errors = commands.run(client, "import", "--dry-run", file)

    assert stream.images() == before
    assert (code, said) == (1, "would import 1 threads with 2 messages, 1 threads exist already, 2 refused\n")
    assert commands.run(client, "import", file) == (1, said.replace("would import", "imported"), errors)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--project", "A b", "FILE"), api_keys.PROJECT_RULE),
        (("FILE",), "Missing option '--project'."),
        (("--project", "alpha", "nothing.jsonl"), "Path 'nothing.jsonl' does not exist."),
    ],
)
def test_what_cannot_be_done_is_one_line(file: Path, arguments: tuple[str, ...], said: str) -> None:
    found = program.invoke("import", *(str(file) if one == "FILE" else one for one in arguments))

    assert (found.exit_code, found.stdout) == (2, "")
    assert said in found.stderr.splitlines()[-1]


def test_a_table_that_cannot_be_reached_is_one_line(
    client: Client, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_TRIES", 2)
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.timeout, times=0)):
        found = commands.run(client, "import", file)

    told = (
        "Error: the table is too busy or cannot be reached (ConnectTimeoutError): "
        "run the same command again; what is done stays done\n"
    )
    assert found == (1, "", told)


def test_an_address_where_nothing_listens_is_one_line_with_what_to_look_at(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

    found = program.invoke("import", "--endpoint-url", url, "--project", "alpha", "--dry-run", file)

    assert found.exit_code == 1
    assert found.stderr.splitlines()[-1] == (
        "Error: the table is too busy or cannot be reached (EndpointConnectionError): "
        "look at --endpoint-url, --region and the network"
    )


def test_credentials_without_the_right_are_one_line(client: Client, file: Path) -> None:
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"), times=0)):
        code, said, error = commands.run(client, "import", file)

    assert (code, said, error.count("\n")) == (1, "", 1)
    assert error.startswith("Error: ClientError: An error occurred (AccessDeniedException)")


def test_a_full_disk_is_one_line(file: Path) -> None:
    """The import stores what it reads in a file."""
    file.write_bytes(jsonl(thread(), *(message(f"msg_{number}", "x" * 100_000) for number in range(60))))

    code, said, error = commands.without_room(1_000_000, "import", "--table", "t", "--project", "alpha", file)

    assert (code, said, error.count("\n")) == (1, "", 1)
    assert error.startswith("Error: no room for what is read from the files (")
    assert error.endswith("): set TMPDIR to another folder\n")


def test_an_example_that_is_there_is_left_alone(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """This happens when `make local` starts again with EXAMPLE=1 on the data of an earlier start."""
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
