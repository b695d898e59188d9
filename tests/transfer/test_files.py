"""Files as people saved them: the objects that the import finds in them, and the order of their messages."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.expected import compact, page
from tests.support.imported import CREATED, THREAD, jsonl, message, thread
from tests.transfer import commands

MESSAGES = [message(f"msg_{number}", str(number), CREATED + number // 2) for number in range(6)]
NEWEST_FIRST = MESSAGES[::-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "saved").mkdir()
    return tmp_path / "saved"


def run(client: Client, *names: Path, options: tuple[str, ...] = ()) -> tuple[int, str, list[str]]:
    """Import files. Return the exit code, stdout, and the lines of stderr without the folder of the files."""
    code, said, errors = commands.run(client, "import", *options, *names)
    folder = names[0] if names[0].is_dir() else names[0].parent
    return code, said, errors.replace(f"{folder}/", "").splitlines()


def said(threads: int, messages: int, refused: int = 0) -> str:
    return f"imported {threads} threads with {messages} messages, 0 threads exist already, {refused} refused\n"


def listed(client: Client, thread_id: str = THREAD) -> list[str]:
    return [found["id"] for found in client.page(thread_id, order="asc", limit=100)["data"]]


FORMS: dict[str, bytes] = {
    "lines": jsonl(thread(), *MESSAGES),
    "lines, newest first": jsonl(thread(), *NEWEST_FIRST),
    "CRLF": jsonl(thread(), *MESSAGES).replace(b"\n", b"\r\n"),
    "without a last line feed": jsonl(thread(), *MESSAGES)[:-1],
    "byte order mark, blank lines": b"\xef\xbb\xbf" + jsonl(thread(), "", " ", *MESSAGES),
    "UTF-16": jsonl(thread(), *MESSAGES).decode().encode("utf-16"),
    "UTF-16, indented, CRLF": json.dumps([thread(), page(NEWEST_FIRST)], indent=1)
    .replace("\n", "\r\n")
    .encode("utf-16"),
    "a page on a line": jsonl(thread(), page(NEWEST_FIRST)),
    "a page on a line, oldest first": jsonl(thread(), page(MESSAGES)),
    "two pages, newest first": jsonl(thread(), page(NEWEST_FIRST[:3], has_more=True), page(NEWEST_FIRST[3:])),
    "two pages, the older one before": jsonl(thread(), page(NEWEST_FIRST[3:]), page(NEWEST_FIRST[:3], has_more=True)),
    "two pages, oldest first": jsonl(thread(), page(MESSAGES[:3], has_more=True), page(MESSAGES[3:])),
    "an array": compact([thread(), *MESSAGES]).encode(),
    "an array, newest first": compact([*NEWEST_FIRST, thread()]).encode(),
    "an array of pages": compact([page([thread()]), page(NEWEST_FIRST[:3]), page(NEWEST_FIRST[3:])]).encode(),
    "an array, an object on a line": b"[\n" + b",\n".join(jsonl(one)[:-1] for one in [thread(), *MESSAGES]) + b"\n]\n",
    "an indented page": json.dumps(page([thread(), *NEWEST_FIRST]), indent=2).encode(),
    "indented objects": "\n".join(json.dumps(one, indent=2) for one in [thread(), *MESSAGES]).encode(),
    "a page saved twice": jsonl(page(NEWEST_FIRST), thread(), page(NEWEST_FIRST), thread()),
    "pages that overlap": jsonl(thread(), page(NEWEST_FIRST[2:]), page(NEWEST_FIRST[:4])),
    "a page without its kind": jsonl(thread(), {"data": NEWEST_FIRST, "has_more": False}),
    "objects on one line": jsonl(thread(), *MESSAGES).replace(b"\n", b""),
    "an empty page": jsonl(thread(), *MESSAGES, page([]), "[]"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file_gives_the_same_thread(client: Client, folder: Path, form: str) -> None:
    (folder / "saved.json").write_bytes(FORMS[form])

    assert run(client, folder / "saved.json") == (0, said(1, 6), [])

    assert client.create("retrieve_thread", THREAD) == thread()
    assert client.page(THREAD, order="asc", limit=100) == page(MESSAGES)


def test_a_folder_is_read_with_the_folders_in_it_but_without_hidden_files(client: Client, folder: Path) -> None:
    (folder / "deeper").mkdir()
    (folder / "thread.json").write_text(json.dumps(thread(), indent=2))
    (folder / "deeper" / "page2.json").write_text(compact(page(NEWEST_FIRST[3:])))
    (folder / "deeper" / "page10.json").write_text(compact(page(NEWEST_FIRST[:3])))
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")

    assert run(client, folder) == (0, said(1, 6), [])

    assert listed(client) == [own["id"] for own in MESSAGES]


def test_a_folder_without_files_is_refused(client: Client, folder: Path) -> None:
    assert run(client, folder) == (1, said(0, 0, 1), [f"{folder}: the folder has no files"])


def test_pages_of_one_second_are_newest_first_unless_other_pages_of_the_thread_are_not(
    client: Client, folder: Path
) -> None:
    same = [message(f"msg_s{number}", str(number), CREATED, thread_id="thread_same") for number in range(3)]
    rising = [message(f"msg_r{number}", str(number), CREATED, thread_id="thread_rising") for number in range(3)]
    later = [message(f"msg_r{number}", "x", CREATED + number, thread_id="thread_rising") for number in range(3, 5)]
    (folder / "same.json").write_text(compact(page(same[::-1])))
    (folder / "rising1.json").write_text(compact(page(rising)))
    (folder / "rising2.json").write_text(compact(page(later)))
    (folder / "lines.jsonl").write_bytes(jsonl(thread(), *(own | {"created_at": CREATED} for own in MESSAGES)))

    assert run(client, folder) == (0, said(3, 14), [])

    assert listed(client, "thread_same") == ["msg_s0", "msg_s1", "msg_s2"]
    assert listed(client, "thread_rising") == ["msg_r0", "msg_r1", "msg_r2", "msg_r3", "msg_r4"]
    assert listed(client) == [own["id"] for own in MESSAGES]


def test_a_thread_without_an_object_of_its_own_has_the_time_of_its_first_message(client: Client, folder: Path) -> None:
    native = "thread_01HEBKXB88ZZZZZZZZZZZZZZZZ"
    (folder / "page.json").write_text(compact(page(NEWEST_FIRST)))
    (folder / "native.json").write_text(compact(message("msg_a", created_at=1_700_000_000, thread_id=native)))

    assert run(client, folder) == (0, said(2, 7), [])

    assert client.create("retrieve_thread", THREAD) == thread()
    assert client.create("retrieve_thread", native) == thread(native, 1_699_049_549)


def test_threads_whose_messages_are_mixed_are_kept_apart(client: Client, folder: Path) -> None:
    """The page of one thread has a message of another, too."""
    other = [own | {"thread_id": "thread_other", "id": f"{own['id']}o"} for own in NEWEST_FIRST]
    mixed = [one for pair in zip(NEWEST_FIRST, other, strict=True) for one in pair]
    (folder / "page.json").write_text(compact(page(mixed)))

    assert run(client, folder) == (0, said(2, 12), [])

    assert listed(client) == [own["id"] for own in MESSAGES]
    assert listed(client, "thread_other") == [f"{own['id']}o" for own in MESSAGES]


def test_the_messages_of_a_refused_thread_do_not_make_it(client: Client, folder: Path) -> None:
    (folder / "a.json").write_text(compact(thread(metadata={"a": 1})))
    (folder / "b.json").write_text(compact(page(NEWEST_FIRST[:2])))

    reason = "Invalid type for 'metadata.a': expected a string, but got an integer instead."
    refused = [f"b.json:1: message {number}: its thread {THREAD} was refused: a.json:1" for number in (1, 2)]
    code, told, errors = run(client, folder)
    assert (code, told, errors[0]) == (1, said(0, 0, 3), f"a.json:1: {reason}")
    assert sorted(errors[1:]) == refused
    assert client.create("list_threads") == page([])


_NONE = "x: none of its first 100 lines or objects is a thread, message or assistant."
_NO_KIND = "it has no 'object' that says what it is: docs/migrate.md lists what can be imported"
BAD: dict[str, tuple[bytes, list[str]]] = {
    "a page that breaks off": (
        compact(page(NEWEST_FIRST)).encode()[:1_200],
        ["x:1: it is not valid JSON: unterminated string starting at line 1, column 1190 (the file ends in this line)"],
    ),
    "a second line that breaks off": (
        jsonl(thread("thread_1"), message("msg_x", thread_id="thread_1"))[:-20],
        ["x:2: it is not valid JSON: unterminated string starting at line 2, column 304 (the file ends in this line)"],
    ),
    "an indented page that breaks off": (
        json.dumps(page(NEWEST_FIRST), indent=1).encode()[:1_200],
        ["x:65: it is not valid JSON: unterminated string starting at line 65, column 7"],
    ),
    "lines whose first one breaks off between two tokens": (
        b'{"id":\n' + jsonl(thread("thread_1")),
        ["x:1: it is not valid JSON: expecting value at line 1, column 7"],
    ),
    "indented objects whose second one is damaged": (
        json.dumps(thread("thread_1"), indent=1).encode() + b'\n{\n "id": x\n}\n',
        ["x:9: it is not valid JSON: expecting value at line 9, column 8"],
    ),
    "a bad element of a page": (
        compact([page([thread("thread_1"), message("msg_x", role="system")]), [], 7]).encode(),
        [
            "x:1: page 1, message 2: Invalid value: 'system'. Supported values are: 'user' and 'assistant'.",
            f"x:1: item 3: {_NO_KIND}",
        ],
    ),
    "a bad element of an indented page": (
        json.dumps(page([thread("thread_1"), message("msg_x", role="system")]), indent=2).encode(),
        ["x: message 2: Invalid value: 'system'. Supported values are: 'user' and 'assistant'."],
    ),
    "a line with something after its object": (
        jsonl(thread("thread_1"))[:-1] + b",\n",
        ["x:1: it is not valid JSON: expecting value at line 1, column 94"],
    ),
    "a number with too many digits": (
        b'{"a":' + b"1" * 5_000 + b"}\n",
        ["x:1: it contains a number with too many digits"],
    ),
    "half of an emoji in an id": (
        b'{"object":"thread","created_at":1,"id":"thread_\\ud83d"}\n',
        ["x:1: its id 'thread_\\ud83d' is not 'thread_' followed by letters, digits, '_' and '-', 128 in all"],
    ),
    "a gzip archive": (b"\x1f\x8b\x08\n\n\n\xff", ["x: it is a gzip archive: extract it first"]),
    "an image": (
        b"\x89PNG\r\n\x1a\n\xff\n\n\xfe",
        ["x: none of its first 4 lines or objects is a thread, message or assistant. x:1: it is not UTF-8"],
    ),
    "UTF-16 that breaks off": (
        "\ufeff{}".encode("utf-16-le")[:-1],
        ["x: it begins as UTF-16, but is not UTF-16 to its end"],
    ),
    "one word": (
        b"hello",
        ["x:1: it is not valid JSON: expecting value at line 1, column 1 (the file ends in this line)"],
    ),
    "a table": (
        b"id,role,content\n" * 200,
        [f"{_NONE} x:1: it is not valid JSON: expecting value at line 1, column 1"],
    ),
    "objects of another kind": (
        jsonl(*[{"object": "thread.run"}] * 200),
        [f"{_NONE} x:1: its 'object' is 'thread.run', and runs are not moved: see docs/migrate.md"],
    ),
    "a few objects of another kind": (
        jsonl({"object": "list"}, {"object": 7}),
        ["x:1: its 'object' is 'list': docs/migrate.md lists what can be imported", f"x:2: {_NO_KIND}"],
    ),
    "arrays of arrays of arrays": (
        compact([[[[thread("thread_1")]]]]).encode(),
        [f"x:1: item 1, item 1, item 1: {_NO_KIND}"],
    ),
    "nothing": (b"", []),
    "blank lines": (b"\n \r\n", []),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_named_with_the_place_and_the_rest_of_the_folder_goes_in(
    client: Client, folder: Path, kind: str
) -> None:
    content, errors = BAD[kind]
    (folder / "good.jsonl").write_bytes(jsonl(thread(), *MESSAGES))
    (folder / "x").write_bytes(content)

    code, told, lines = run(client, folder)

    assert lines == errors
    assert told.endswith(f" 0 threads exist already, {len(errors)} refused\n")
    assert code == (1 if errors else 0)
    assert listed(client) == [own["id"] for own in MESSAGES]


def test_the_name_of_a_file_need_not_be_utf_8(client: Client, folder: Path) -> None:
    name = os.fsdecode(bytes(folder) + b"/caf\xe9.json")
    Path(name).write_bytes(jsonl(thread(), message("msg_a"), "x"))

    code, told, errors = run(client, folder)

    assert (code, told) == (1, said(1, 1, 1))
    assert errors == ["caf\\udce9.json:3: it is not valid JSON: expecting value at line 3, column 1"]


def test_a_file_or_line_that_is_too_long_is_refused_without_being_kept(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.transfer import files

    monkeypatch.setattr(files, "_LONGEST", 2_000)
    (folder / "indented").write_text(json.dumps(page(NEWEST_FIRST), indent=1))
    (folder / "line").write_text(compact(page(NEWEST_FIRST * 2)))
    (folder / "lines").write_bytes(b'{"id":\n' + jsonl(thread(), *MESSAGES[:5]))
    (folder / "middle").write_bytes(jsonl(thread(), '{"a":"' + "x" * 8_000, MESSAGES[5]))

    code, told, errors = run(client, folder)

    assert errors == [
        "indented:1: it has more than 2000 characters",
        "line:1: it has more than 2000 characters",
        "lines:1: it is not valid JSON: expecting value at line 1, column 7",
        "middle:2: it has more than 2000 characters",
    ]
    assert (code, told) == (1, said(1, 6, 4))


def test_copies_that_differ_are_named(client: Client, folder: Path) -> None:
    (folder / "a.json").write_text(compact(page([message("msg_a", "one")])))
    (folder / "b.json").write_text(compact(page([message("msg_a", "two")])))

    told = "b.json:1: message 1: it differs from msg_a in a.json:1: message 1, and only that one is imported"
    assert run(client, folder) == (1, said(1, 1, 1), [told])
    assert client.page(THREAD)["data"] == [message("msg_a", "one")]


@pytest.mark.parametrize(
    ("saved", "rest"), [(NEWEST_FIRST[:3], "older"), (MESSAGES[:3], "newer"), (NEWEST_FIRST[:1], "older")], ids=range(3)
)
def test_a_page_whose_continuation_was_not_saved_is_named(
    client: Client, folder: Path, saved: list[dict[str, Any]], rest: str
) -> None:
    (folder / "page.json").write_text(compact(page(saved, has_more=True)))

    rehearsed = run(client, folder, options=("--dry-run",))
    done = run(client, folder)

    last = saved[-1]["id"]
    told = f"the page has more, but no {rest} message of {THREAD} than {last} is in the files"
    assert done == (1, said(1, len(saved)), [f"page.json:1: message {len(saved)}: {told}"])
    assert rehearsed[0::2] == done[0::2]


def _missing(messages: int) -> str:
    counts = "0 threads with 0 messages, 1 threads exist already, 0 refused"
    return f"{counts}, {messages} messages are missing in threads that exist\n"


@pytest.mark.parametrize("deleted", [False, True])
def test_messages_that_a_thread_which_exists_never_had_are_counted(client: Client, folder: Path, deleted: bool) -> None:
    (folder / "lines.jsonl").write_bytes(jsonl(thread(), *MESSAGES[:4]))
    assert run(client, folder) == (0, said(1, 4), [])
    if deleted:
        client.create("delete_message", THREAD, "msg_0")
    (folder / "more.jsonl").write_bytes(jsonl(*MESSAGES))

    rehearsed = run(client, folder, options=("--dry-run",))
    done = run(client, folder)

    told = [f"lines.jsonl:1: {THREAD} exists already, and 2 of its 6 messages here are not in it"]
    assert done == (1, f"imported {_missing(2)}", told)
    assert rehearsed == (1, f"would import {_missing(2)}", told)
    assert len(listed(client)) == (3 if deleted else 4)


def test_messages_with_ids_of_this_api_are_counted_as_missing_when_they_were_deleted(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.transfer import staging

    monkeypatch.setattr(staging, "_IDS_IN_ONE", 5)
    live = client.create("create_thread")
    own = [client.message(live["id"]) for _ in range(6)]
    (folder / "lines.jsonl").write_bytes(jsonl(live, *own))
    client.create("delete_message", live["id"], own[0]["id"])

    told = f"lines.jsonl:1: {live['id']} exists already, and 1 of its 6 messages here are not in it"
    assert run(client, folder) == (1, f"imported {_missing(1)}", [told])


def test_lines_of_2_mb_are_imported(client: Client, folder: Path) -> None:
    large = message("msg_a", "\U0001f600" * 250_000)
    (folder / "x").write_text(json.dumps(page([large, thread()])))
    assert (folder / "x").stat().st_size > 2_000_000

    assert run(client, folder) == (0, said(1, 1), [])

    assert client.page(THREAD)["data"] == [large]
