"""Which lines the import refuses, and why. It imports the other lines of their file."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import expected, openapi, schemas, stream
from tests.support.client import Client
from tests.support.expected import compact
from tests.support.imported import CREATED, THREAD, Refused, bring, brought, jsonl, message, thread
from tests.transfer import commands

_NATIVE = "01HEBKXB88ZZZZZZZZZZZZZZZZ"  # of 1699049549
_LATER = int(time.time()) + 3_600
_URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "auto"}}


def _without(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name}


_CITING = compact(message("msg_1", content=[expected.text("x", {"type": "url_citation", "text": "#"})]))

REFUSED: list[tuple[dict[str, Any] | str, str]] = [
    ("not JSON", "it is not valid JSON: expecting value at line 3, column 1"),
    ('{"id": NaN}', "it is not valid JSON: invalid value NaN"),
    ("[1]", "it has no 'object' that says what it is: docs/migrate.md lists what can be imported"),
    (compact(thread("thread_1")).replace("{}}", '{"a":' + "[" * 70 + "]" * 70 + "}}"), "it is nested too deeply"),
    ("[" * 5_000 + "]" * 5_000, "it is nested too deeply"),
    ('{"object": "thread.run"}', "its 'object' is 'thread.run', and runs are not moved: see docs/migrate.md"),
    ("{}", "it has no 'object' that says what it is: docs/migrate.md lists what can be imported"),
    (_without(message("msg_1"), "id"), "Missing required parameter: 'id'."),
    (message("1"), "its id '1' is not 'msg_' followed by letters, digits, '_' and '-', 128 in all"),
    (message("msg_1", thread_id="abc"), "its thread_id 'abc' is not the id of a thread"),
    (_without(message("msg_1"), "thread_id"), "Missing required parameter: 'thread_id'."),
    (_without(message("msg_1"), "created_at"), "Missing required parameter: 'created_at'."),
    (message("msg_1", created_at=-1), "Invalid 'created_at': "),
    (
        message("msg_1") | {"created_at": "2023-11-03"},
        "Invalid type for 'created_at': expected an integer, but got a string instead.",
    ),
    (message("msg_1", created_at=_LATER), f"its created_at {_LATER} is more than a minute in the future"),
    (message(f"msg_{_NATIVE}"), f"its created_at is {CREATED}, but the time in its id is 1699049549"),
    (message("msg_1", role="system"), "Invalid value: 'system'. Supported values are: 'user' and 'assistant'."),
    (_without(message("msg_1"), "role"), "Missing required parameter: 'role'."),
    (message("msg_1", content=[_URL]), "Invalid 'content[0].image_url.url': a data: URL is a file, and "),
    (message("msg_1", "x" * 256_001), "Invalid 'content': string too long."),
    (message("msg_1", metadata={"a": 1}), "Invalid type for 'metadata.a': expected a string, but got an integer"),
    (message("msg_1", attachments=[{"file_id": "f"}] * 21), "Invalid 'attachments': array too long."),
    (message("msg_1", file_ids="f"), "Unknown parameter: 'file_ids'."),
    (message("msg_1", status="done"), "Invalid value: 'done'. Supported values are: 'completed', 'incomplete' and "),
    (
        message("msg_1", incomplete_details={"reason": "max_tokens"}),
        "it has incomplete_details, but its status is not ",
    ),
    (message("msg_1", run_id="a#b"), "Invalid 'run_id': "),
    (message("msg_1", "\ud800"), "it is not UTF-8"),
    (compact(message("msg_1")).replace('"hello"', '"\\ud800"'), "Invalid 'content[0].text.value': "),
    (_CITING.replace("#", "\\ud83d"), "Invalid 'content[0].text.annotations[0]"),
    (_CITING.replace('"#"', "1e999"), "Invalid 'content[0].text.annotations[0]"),
    (
        message("msg_1", content=[expected.text("x", {"type": "web_citation"})]),
        "Invalid value: 'web_citation'. Supported values are: 'file_citation', 'file_path' and 'url_citation'.",
    ),
    (message("msg_1", content=[{"type": "text", "text": 1}]), "Invalid type for 'content[0].text': expected a"),
    (message("msg_1", content=[{"type": []}]), "Invalid "),
    (message("msg_1", content=[7]), "Invalid type for 'content[0]': expected an object, but got an integer instead."),
    (message("msg_1", content=7), "Invalid type for 'content': expected an array, but got an integer "),
    (message("msg_1", content=None), "Missing required parameter: 'content'."),
    (message("msg_1", attachments=[None]), "Invalid type for 'attachments[0]': expected an object, but got null "),
    (message("msg_1", file_ids=["f"] * 21 + ["g"]), "Invalid 'attachments': array too long."),
    (thread("abc"), "its id 'abc' is not 'thread_' followed by letters, digits, '_' and '-', 128 in all"),
    (thread("thread_1", _LATER), f"its created_at {_LATER} is more than a minute in the future"),
    (thread(f"thread_{_NATIVE}"), f"its created_at is {CREATED}, but the time in its id is 1699049549"),
    (thread("thread_1", metadata={"a": "x" * 513}), "Invalid 'metadata.a': string too long."),
    (thread("thread_1", tool_resources={"a": "x" * 17_000}), "Invalid 'tool_resources': it is larger than 16384 bytes"),
    (thread("thread_1", messages=[]), "Unknown parameter: 'messages'."),
    (thread(metadata={"a": "b"}), f"it differs from {THREAD} in -:1, and only that one is imported"),
    (message("msg_a", "other"), "it differs from msg_a in -:2, and only that one is imported"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_a_line_is_refused_with_its_number_and_the_reason_and_the_rest_goes_in(
    client: Client, line: dict[str, Any] | str, reason: str
) -> None:
    kept = [message("msg_a"), message("msg_b")]
    file = b"".join(
        jsonl(found) if isinstance(found, str) else compact(found).encode("utf-8", "surrogatepass") + b"\n"
        for found in (thread(), kept[0], line, kept[1])
    )

    counts, refused = bring(client, file)

    assert [number for number, _ in refused] == [3]
    assert refused[0][1].startswith(reason)
    assert counts == (1, 2, 0, 0)
    assert client.page(THREAD, order="asc") == expected.page(kept)


def test_what_the_old_api_said_of_messages_is_taken_and_answered_as_ours(client: Client) -> None:
    """The old API has null where this API has defaults. Times that follow from other fields are not kept."""
    old = message("msg_a", status=None, attachments=None, metadata=None, file_ids=[]) | {"completed_at": CREATED + 9}
    note = {"type": "file_citation", "text": "x", "start_index": 0, "end_index": 1, "file_citation": {"file_id": "f"}}
    parts = [expected.text("x", note), {"type": "refusal", "refusal": "no"}]
    cut = message("msg_b", content=parts, role="assistant", assistant_id="asst_1", run_id="run_1", status="incomplete")
    cut |= {"incomplete_details": {"reason": "max_tokens"}, "incomplete_at": CREATED + 3}

    assert bring(client, thread(metadata=None, tool_resources=None), old, cut) == ((1, 2, 0, 0), [])

    assert client.create("retrieve_thread", THREAD) == thread()
    assert client.page(THREAD, order="asc") == expected.page([message("msg_a"), cut | {"incomplete_at": CREATED}])


_CITATION = {"type": "file_citation", "text": "x", "start_index": 0, "end_index": 1}
_URL_CITATION = {"type": "url_citation", "url_citation": {"title": None, "url": "https://a.example"}, "text": "【1】"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            {"content": [{"type": "text", "text": {"value": "x", "annotations": None}}]},
            {"content": [expected.text("x")]},
        ),
        ({"content": [{"type": "text", "text": {"value": "x"}}]}, {"content": [expected.text("x")]}),
        (
            {"content": [expected.text("x", _CITATION | {"file_citation": {"file_id": "f", "quote": None}})]},
            {"content": [expected.text("x", _CITATION | {"file_citation": {"file_id": "f"}})]},
        ),
        (
            {"content": [{"type": "image_file", "image_file": {"file_id": "f", "detail": None}}]},
            {"content": [{"type": "image_file", "image_file": {"file_id": "f", "detail": "auto"}}]},
        ),
        (
            {"content": [{"type": "image_url", "image_url": {"url": "https://a.example"}}]},
            {"content": [{"type": "image_url", "image_url": {"url": "https://a.example", "detail": "auto"}}]},
        ),
        ({"attachments": [{"file_id": "f", "tools": None}]}, {"attachments": [{"file_id": "f", "tools": []}]}),
        ({"attachments": [{"file_id": None}]}, {"attachments": [{"tools": []}]}),
        ({"file_ids": ["f", "g"]}, {"attachments": [{"file_id": "f", "tools": []}, {"file_id": "g", "tools": []}]}),
        (
            {"attachments": [{"file_id": "f", "tools": [{"type": "file_search"}]}], "file_ids": ["f", "g"]},
            {"attachments": [{"file_id": "f", "tools": [{"type": "file_search"}]}, {"file_id": "g", "tools": []}]},
        ),
        ({"file_ids": None}, {}),
        ({"content": []}, {"content": []}),
        ({"content": ""}, {"content": [expected.text("")]}),
        ({"content": [expected.text("")]}, {"content": [expected.text("")]}),
        ({"content": [expected.text("x", _URL_CITATION)]}, {"content": [expected.text("x", _URL_CITATION)]}),
        ({"content": "x", "assistant_id": None, "run_id": None}, {"content": [expected.text("x")]}),
        (
            {"status": "in_progress", "content": [], "role": "assistant"},
            {"status": "incomplete", "incomplete_at": CREATED, "content": [], "role": "assistant"},
        ),
        ({"status": "incomplete"}, {"status": "incomplete", "incomplete_at": CREATED}),
    ],
    ids=range(17),
)
def test_what_the_old_api_and_its_sdks_wrote_is_imported_and_comes_back_equal_from_an_export(
    client: Client, tmp_path: Path, written: dict[str, Any], read: dict[str, Any]
) -> None:
    from shared import events

    first, second, other = tmp_path / "first.jsonl", tmp_path / "second.jsonl", Client()

    brought(client, thread(), message("msg_a", **written))
    answer = openapi.check("retrieve_message", client.call("retrieve_message", THREAD, "msg_a"))
    assert answer.body == message("msg_a") | read

    commands.run(client, "export", first)
    assert commands.run(other, "import", first)[0::2] == (0, "")
    commands.run(other, "export", second)
    assert first.read_bytes() == second.read_bytes()
    with stream.changes() as records:
        client.create("modify_message", THREAD, "msg_a", body={"metadata": {"a": "b"}})
    (event,) = (schemas.event(*event) for record in records for event in events.of_record(record))
    assert event["detail"]["content"] == answer.body["content"]


def test_a_message_too_large_to_be_stored_is_refused(client: Client) -> None:
    note = {"type": "file_path", "text": "x" * 100_000, "start_index": 0, "end_index": 1, "file_path": {"file_id": "f"}}
    text = expected.text("x", *[note] * 61)

    counts, refused = bring(client, thread(), message("msg_a", content=[text], role="assistant"), message("msg_b"))

    assert (counts, refused) == ((1, 1, 0, 0), [(2, "it is too large to be stored")])


def test_two_messages_never_have_one_place(client: Client) -> None:
    """A message has an id of this API. An earlier message would have got the same place."""
    from shared import ids

    lowest = ids.lowest_ulid(CREATED * 1000)
    native, above = (message(f"msg_{ulid}") for ulid in (lowest, ids.next_ulid(lowest)))
    first, second = message("msg_a"), message("msg_b")

    assert bring(client, thread(), first, above, native, second) == ((1, 4, 0, 0), [])

    assert client.page(THREAD, order="asc") == expected.page([native, above, first, second])


def test_the_file_is_never_in_memory(client: Client, tmp_path: Path) -> None:
    import tracemalloc

    from tools.transfer import imports
    from tools.transfer.spool import open_spool

    file, refused = tmp_path / "x.jsonl", Refused()
    file.write_bytes(jsonl(*(message(f"msg_{number}", "x" * 9_000) for number in range(1_000))))
    tracemalloc.start()
    try:
        with open_spool() as spool:
            imports.read([str(file)], spool, imports.Report(refused.add, refused.add), lambda _: None)
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (refused, peak < 2_000_000) == ([], True)
