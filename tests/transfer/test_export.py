"""The export: its lines, an equal result after their import, and its continuation after an interruption."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import expected, fault_injection, program
from tests.support.client import Client
from tests.support.event_sources import asked, erase
from tests.support.fault_injection import Fault
from tests.support.imported import CREATED, THREAD, brought, jsonl, message, thread
from tests.support.variables import VARIABLES
from tests.transfer import commands
from tests.transfer.commands import Killed, die


def filled(client: Client) -> list[dict[str, Any]]:
    """Fill a project with objects of all kinds. Return the lines of its export."""
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
    """Export to a file, and end before it is complete: at the latest when at most one thread is missing."""
    from tools.transfer import exports, parts

    with suppress(Killed), parts.part_of(file, None, commands.TABLE, client.project, None) as into:
        exports.export(client.project, None, into, lambda *_: None)
        if but_last:
            into.last_thread()
        die()


def export(client: Client, file: Path, *options: str) -> commands.Outcome:
    return commands.run(client, "export", *options, file)


def said(threads: int, messages: int) -> commands.Outcome:
    return 0, f"exported {threads} threads with {messages} messages\n", ""


def test_what_is_exported_comes_back_equal_and_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    client, other = Client(trusted=True), Client()
    lines = filled(client)
    file = tmp_path / "x.jsonl"

    assert export(client, file, "--dry-run") == (0, "would export 3 threads with 5 messages\n", "")
    assert [*tmp_path.iterdir()] == []

    assert export(client, file) == said(3, 5)
    assert file.read_bytes() == jsonl(*lines)
    assert commands.run(other, "import", file)[0] == 0
    assert export(other, file) == said(3, 5)
    assert file.read_bytes() == jsonl(*lines)
    assert [*tmp_path.iterdir()] == [file]


def test_a_thread_that_is_not_there_is_one_line_and_no_file(client: Client, tmp_path: Path) -> None:
    error = f"Error: the project has no thread {THREAD}\n"

    assert export(client, tmp_path / "one.jsonl", "--thread", THREAD) == (1, "", error)
    assert [*tmp_path.iterdir()] == []


def test_an_empty_project_is_an_empty_file(client: Client, tmp_path: Path) -> None:
    assert export(client, tmp_path / "x.jsonl") == said(0, 0)
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

    assert export(client, file)[0] == 0

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

    assert export(client, file)[0] == 0

    rest = [thread()] if own_id else [last]
    assert file.read_bytes() == jsonl(thread("thread_0", CREATED - 1), *rest)


def test_what_was_begun_from_another_project_is_not_gone_on_with(client: Client, tmp_path: Path) -> None:
    stranger, file = Client(), tmp_path / "x.jsonl"
    brought(stranger, thread("thread_0", CREATED - 1), thread(), message("msg_a", "theirs"))
    brought(client, thread(), message("msg_a", "ours"))
    killed(stranger, file)

    assert export(client, file)[0] == 0

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

    assert found == said(2, 0)
    assert (tmp_path / "x.jsonl").read_bytes() == jsonl(*others)
    assert dry == (0, "would export 2 threads with 0 messages\n", "")


def test_the_lists_of_several_shards_are_one_export(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VARIABLES, "THREAD_LIST_SHARDS", "3")
    found = [thread(f"thread_{number}", CREATED + number) for number in range(9)]
    brought(client, *found)

    assert export(client, tmp_path / "x.jsonl") == said(9, 0)
    assert (tmp_path / "x.jsonl").read_bytes() == jsonl(*found)


def test_a_folder_that_is_not_there_is_one_line(client: Client, tmp_path: Path) -> None:
    code, _, error = export(client, tmp_path / "none" / "x.jsonl")

    assert (code, error.count("\n")) == (1, 1)
    assert "No such file or directory" in error


def test_a_full_disk_is_one_line_and_with_room_the_export_goes_on(dynamodb_local: str, tmp_path: Path) -> None:
    table, out = commands.table(dynamodb_local, "full-disk"), tmp_path / "out.jsonl"
    lines = [thread(), *(message(f"msg_{number}", "x" * 5_000) for number in range(9))]
    assert program.invoke("import", *table, "-", stdin=jsonl(*lines)).exit_code == 0

    told = "Error: cannot write: File too large; run the same command again; what is done stays done\n"
    assert commands.without_room(20_000, "export", *table, out) == (1, "", told)
    assert not out.exists()
    assert program.invoke("export", *table, out).output == "exported 1 threads with 9 messages\n"
    assert out.read_bytes() == jsonl(*lines)
