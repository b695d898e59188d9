"""The export: what it writes, that it comes back equal, and how it goes on when it was cut short."""

import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.client import Client
from tests.support.erasing import asked, erase
from tests.support.fault_injection import Fault
from tests.support.imported import CREATED, THREAD, brought, jsonl, message, thread
from tests.support.local_api import ROOT, environment
from tests.support.variables import VARIABLES
from tests.transfer import commands


class Killed(BaseException):
    """The process ended here."""


def die() -> None:
    raise Killed


@pytest.fixture
def trusted() -> Client:
    return Client(trusted=True)


def filled(client: Client) -> list[dict[str, Any]]:
    """Fill a project with a bit of everything; return the lines that its export has."""
    citation = {"type": "file_citation", "text": "x", "start_index": 0, "end_index": 1}
    citation |= {"file_citation": {"file_id": "f", "quote": "q"}}
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "auto"}}
    imported = [
        thread(metadata={"user_id": "u"}, tool_resources={"code_interpreter": {"file_ids": ["f"]}}),
        message("msg_z", "first"),
        message("msg_a", "line\u2028separators\u0000 and 😀", attachments=[{"file_id": "f", "tools": []}]),
        message("msg_b", "x" * 200_000, CREATED + 5, content=[expected.text("x" * 200_000), image]),
    ]
    brought(client, *imported, thread("thread_empty", CREATED))
    native = client.create("create_thread", body={"metadata": {"a": "b"}})
    body: dict[str, Any] = {"content": [{"type": "text", "text": {"value": "x", "annotations": [citation]}}]}
    body |= {
        "role": "assistant",
        "run_id": "run_1",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_tokens"},
    }
    messages = [client.create("create_message", native["id"], body=body), client.message(native["id"])]
    gone = client.thread()
    client.create("delete_thread", gone)
    return [*imported, thread("thread_empty", CREATED), native, *messages]


def killed(client: Client, file: Path, *, but_last: bool = False) -> None:
    """Export to a file, and end before it is complete; at the latest when all is written, or all but one thread."""
    from tools.transfer import exports, parts

    with suppress(Killed), parts.part_of(file, None, commands.TABLE, client.project, None) as into:
        exports.export(client.project, None, into, lambda *_: None)
        if but_last:
            into.last_thread()
        die()


def export(client: Client, file: Path, *options: str) -> Any:
    return commands.run("export", "--project", client.project, *options, file)


def test_what_is_exported_comes_back_equal(trusted: Client, tmp_path: Path) -> None:
    first, second, other = tmp_path / "first.jsonl", tmp_path / "second.jsonl", Client()
    lines = filled(trusted)

    found = export(trusted, first)

    assert (found.exit_code, found.stdout, found.stderr) == (0, "exported 3 threads with 5 messages\n", "")
    assert first.read_bytes() == jsonl(*lines)
    assert commands.run("import", "--project", other.project, first).exit_code == 0
    assert export(other, second).exit_code == 0
    assert second.read_bytes() == first.read_bytes()
    assert [found.name for found in tmp_path.iterdir()] == ["first.jsonl", "second.jsonl"]


def test_one_thread_is_exported_alone(client: Client, tmp_path: Path) -> None:
    brought(client, thread(), message("msg_a"), thread("thread_other"))

    found = export(client, tmp_path / "one.jsonl", "--thread", THREAD)

    assert (found.exit_code, found.stdout) == (0, "exported 1 threads with 1 messages\n")
    assert (tmp_path / "one.jsonl").read_bytes() == jsonl(thread(), message("msg_a"))


def test_a_thread_that_is_not_there_is_one_line_and_no_file(client: Client, tmp_path: Path) -> None:
    found = export(client, tmp_path / "one.jsonl", "--thread", THREAD)

    assert (found.exit_code, found.stderr) == (1, f"Error: the project has no thread {THREAD}\n")
    assert [*tmp_path.iterdir()] == []


def test_a_dry_run_writes_nothing(client: Client, tmp_path: Path) -> None:
    brought(client, thread(), message("msg_a"), thread("thread_other"))

    whole = export(client, tmp_path / "x.jsonl", "--dry-run")
    one = export(client, tmp_path / "x.jsonl", "--dry-run", "--thread", THREAD)

    assert (whole.exit_code, whole.stdout) == (0, "would export 2 threads with 1 messages\n")
    assert (one.exit_code, one.stdout) == (0, "would export 1 threads with 1 messages\n")
    assert [*tmp_path.iterdir()] == []


def test_an_empty_project_is_an_empty_file(client: Client, tmp_path: Path) -> None:
    assert export(client, tmp_path / "x.jsonl").exit_code == 0
    assert (tmp_path / "x.jsonl").read_bytes() == b""


@pytest.mark.parametrize("at", [1, 2, 4, 6])
@pytest.mark.parametrize("operation", ["Query", "BatchGetItem"])
def test_an_export_that_was_killed_goes_on(
    client: Client, tmp_path: Path, operation: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.transfer import exports

    monkeypatch.setattr(exports, "_AT_ONCE", 2)
    native = [client.create("create_thread") for _ in range(2)]
    older = [thread(f"thread_{number}", CREATED + number) for number in range(3)]
    found = [message(f"msg_{number}", thread_id="thread_1") for number in range(5)]
    brought(client, *older, *found)
    file = tmp_path / "x.jsonl"

    with fault_injection.inject(Fault(operation, fault_injection.before(die), at=at)):
        killed(client, file)
    assert not file.exists()

    assert export(client, file).exit_code == 0

    assert file.read_bytes() == jsonl(*older[:2], *found, older[2], *native)
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("own_id", [True, False], ids=["native", "imported"])
def test_an_export_goes_on_when_the_thread_that_it_broke_off_in_is_gone(
    client: Client, tmp_path: Path, own_id: bool
) -> None:
    brought(client, thread("thread_0", CREATED - 1), thread())
    last = client.create("create_thread")
    lost = last["id"] if own_id else THREAD
    file = tmp_path / "x.jsonl"
    killed(client, file, but_last=not own_id)
    client.create("delete_thread", lost)
    erase(asked(f"{client.project}#{lost}"))

    assert export(client, file).exit_code == 0

    rest = [thread()] if own_id else [last]
    assert file.read_bytes() == jsonl(thread("thread_0", CREATED - 1), *rest)


def test_what_was_begun_from_another_project_is_not_gone_on_with(client: Client, tmp_path: Path) -> None:
    stranger, file = Client(), tmp_path / "x.jsonl"
    brought(stranger, thread("thread_0", CREATED - 1), thread(), message("msg_a", "theirs"))
    brought(client, thread(), message("msg_a", "ours"))
    killed(stranger, file)

    assert export(client, file).exit_code == 0

    assert file.read_bytes() == jsonl(thread(), message("msg_a", "ours"))


def test_a_thread_that_is_deleted_while_it_is_exported_is_left_out(client: Client, tmp_path: Path) -> None:
    from tools.transfer import exports

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exports, "_AT_ONCE", 2)
        others = [thread("thread_0", CREATED - 1), thread("thread_z", CREATED + 1)]
        brought(client, *others, thread(), *(message(f"msg_{number}") for number in range(5)))
        delete = fault_injection.after(lambda: client.create("delete_thread", THREAD))
        # The first Query is of the list, the second of thread_0, the third of the first messages here.
        with fault_injection.inject(Fault("Query", delete, at=4)):
            found = export(client, tmp_path / "x.jsonl")
        dry = export(client, tmp_path / "x.jsonl", "--dry-run")

    assert (found.exit_code, found.stdout) == (0, "exported 2 threads with 0 messages\n")
    assert (tmp_path / "x.jsonl").read_bytes() == jsonl(*others)
    assert dry.stdout == "would export 2 threads with 0 messages\n"


def test_the_lists_of_several_shards_are_one_export(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VARIABLES, "THREAD_LIST_SHARDS", "3")
    found = [thread(f"thread_{number}", CREATED + number) for number in range(9)]
    brought(client, *found)

    assert export(client, tmp_path / "x.jsonl").exit_code == 0
    assert (tmp_path / "x.jsonl").read_bytes() == jsonl(*found)


def test_a_folder_that_is_not_there_is_one_line(client: Client, tmp_path: Path) -> None:
    found = export(client, tmp_path / "none" / "x.jsonl")

    assert (found.exit_code, found.stderr.count("\n")) == (1, 1)
    assert "No such file or directory" in found.stderr


def _no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_full_disk_is_one_line_and_with_room_the_export_goes_on(dynamodb_local: str, tmp_path: Path) -> None:
    """No file may grow past 20 KB."""
    table = commands.table(dynamodb_local, "full-disk")
    lines = [thread(), *(message(f"msg_{number}", "x" * 5_000) for number in range(9))]
    (tmp_path / "in.jsonl").write_bytes(jsonl(*lines))
    assert commands.done("import", *table, tmp_path / "in.jsonl")[0] == 0

    full = subprocess.run(
        [sys.executable, "-m", "tools.transfer", "export", *table, str(tmp_path / "out.jsonl")],
        cwd=ROOT,
        env=environment(),
        preexec_fn=_no_room,
        capture_output=True,
        text=True,
        check=False,
    )

    told = "Error: cannot write: File too large; what is complete is kept, the same command continues from there\n"
    assert (full.returncode, full.stdout, full.stderr) == (1, "", told)
    assert not (tmp_path / "out.jsonl").exists()
    assert commands.done("export", *table, tmp_path / "out.jsonl") == (0, "exported 1 threads with 9 messages\n", "")
    assert (tmp_path / "out.jsonl").read_bytes() == jsonl(*lines)
