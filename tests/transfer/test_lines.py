"""Which lines are refused, and for what reason; the rest of their file goes in."""

import io
import time
from typing import Any

import pytest

from tests.support import expected
from tests.support.client import Client
from tests.support.expected import compact
from tests.support.imported import CREATED, THREAD, bring, jsonl, message, thread

_NATIVE = "01HEBKXB88ZZZZZZZZZZZZZZZZ"  # of 1699049549
_LATER = int(time.time()) + 3_600
_CUT = "it is not valid JSON: unterminated string starting"
_URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "auto"}}


def _without(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name}


REFUSED: list[tuple[dict[str, Any] | str, str]] = [
    ("not JSON", "it is not valid JSON: expecting value at line 1, column 1."),
    ('{"id": NaN}', "it is not valid JSON: invalid value NaN at line 1, column 8."),
    ("[1]", "it is an array."),
    ("[]", "its 'object' is neither 'thread' nor 'thread.message'"),
    ('{"a":' + "[" * 70 + "]" * 70 + "}", "it is nested too deeply."),
    ('{"object": "list", "data": []}', "its 'object' is neither 'thread' nor 'thread.message'"),
    ("{}", "its 'object' is neither 'thread' nor 'thread.message'"),
    (_without(message("msg_1"), "id"), "Missing required parameter: 'id'."),
    (message("1"), "its id '1' is none: 'msg_', then letters, digits, '_' and '-', 128 in all"),
    (message("msg_1", thread_id="abc"), "its thread_id 'abc' is no id of a thread"),
    (_without(message("msg_1"), "thread_id"), "Missing required parameter: 'thread_id'."),
    (_without(message("msg_1"), "created_at"), "Missing required parameter: 'created_at'."),
    (message("msg_1", created_at=-1), "Invalid 'created_at': integer below minimum value."),
    (
        message("msg_1") | {"created_at": "2023-11-03"},
        "Invalid type for 'created_at': expected an integer, but got a string instead.",
    ),
    (message("msg_1", created_at=_LATER), f"its created_at {_LATER} is more than a minute ahead"),
    (message(f"msg_{_NATIVE}"), f"its created_at is {CREATED}, but its id was made at 1699049549"),
    (message("msg_1", role="system"), "Invalid value: 'system'. Supported values are: 'user' and 'assistant'."),
    (_without(message("msg_1"), "role"), "Missing required parameter: 'role'."),
    (message("msg_1", content=[]), "Message content must be non-empty."),
    (message("msg_1", content=[_URL]), "Invalid 'content[0].image_url.url': a data: URL is a file, and this service "),
    (message("msg_1", "x" * 256_001), "Invalid 'content': string too long."),
    (message("msg_1", metadata={"a": 1}), "Invalid type for 'metadata.a': expected a string, but got an integer"),
    (message("msg_1", attachments=[{"file_id": "f"}] * 21), "Invalid 'attachments': array too long."),
    (message("msg_1", file_ids=["f"]), "Unknown parameter: 'file_ids'."),
    (message("msg_1", status="in_progress"), "Invalid value: 'in_progress'. Supported values are: 'completed' and "),
    (message("msg_1", status="incomplete"), "Missing required parameter: 'incomplete_details'."),
    (message("msg_1", run_id="a#b"), "Invalid 'run_id': 'a#b'. Expected only letters"),
    (message("msg_1", "\ud800"), "it is not UTF-8"),
    (compact(message("msg_1")).replace('"hello"', '"\\ud800"'), "Invalid 'content[0].text.value': the text "),
    (thread("abc"), "its id 'abc' is none: 'thread_', then letters, digits, '_' and '-', 128 in all"),
    (thread("thread_1", _LATER), f"its created_at {_LATER} is more than a minute ahead"),
    (thread(f"thread_{_NATIVE}"), f"its created_at is {CREATED}, but its id was made at 1699049549"),
    (thread("thread_1", metadata={"a": "x" * 513}), "Invalid 'metadata.a': string too long."),
    (thread("thread_1", tool_resources={"a": "x" * 17_000}), "Invalid 'tool_resources': it is larger than 16384 bytes"),
    (thread("thread_1", messages=[]), "Unknown parameter: 'messages'."),
    (thread(), f"{THREAD} is on line 1 already"),
    (message("msg_a"), "msg_a is on line 2 already"),
    (message("msg_1", thread_id="thread_other"), "there is no line of its thread thread_other, or that was refused"),
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
    assert counts == (1, 2, 0)
    assert client.page(THREAD, order="asc") == expected.page(kept)


def test_what_the_old_api_said_of_messages_is_taken_and_answered_as_ours(client: Client) -> None:
    """Nulls where this API has defaults; times of a run that follow from others, which are not kept."""
    old = message("msg_a", status=None, attachments=None, metadata=None, file_ids=[]) | {"completed_at": CREATED + 9}
    note = {"type": "file_citation", "text": "x", "start_index": 0, "end_index": 1, "file_citation": {"file_id": "f"}}
    parts = [expected.text("x", note), {"type": "refusal", "refusal": "no"}]
    cut = message("msg_b", content=parts, role="assistant", assistant_id="asst_1", run_id="run_1", status="incomplete")
    cut |= {"incomplete_details": {"reason": "max_tokens"}, "incomplete_at": CREATED + 3}

    assert bring(client, thread(metadata=None, tool_resources=None), old, cut) == ((1, 2, 0), [])

    assert client.create("retrieve_thread", THREAD) == thread()
    assert client.page(THREAD, order="asc") == expected.page([message("msg_a"), cut | {"incomplete_at": CREATED}])


def test_a_file_may_begin_with_a_byte_order_mark_and_have_blank_lines(client: Client) -> None:
    assert bring(client, b"\xef\xbb\xbf" + jsonl(thread(), "", " ", message("msg_a"))) == ((1, 1, 0), [])


def test_a_line_that_the_file_ends_in_is_named(client: Client) -> None:
    file = jsonl(thread(), message("msg_a"))

    counts, refused = bring(client, file[:-20])

    assert counts == (1, 0, 0)
    assert refused == [(2, f"{_CUT} at line 1, column 309 (the file ends in it, without a line feed)")]
    assert bring(client, file[:-1])[0].existing == 1


def test_a_line_of_any_length_is_refused_without_being_kept(client: Client) -> None:
    counts, refused = bring(client, jsonl(thread(), '{"a":"' + "x" * 40_000_000, message("msg_a")))

    assert (counts, refused) == ((1, 1, 0), [(2, "it is longer than 16777216 bytes")])


def test_a_message_too_large_to_be_stored_is_refused(client: Client) -> None:
    note = {"type": "file_path", "text": "x" * 100_000, "start_index": 0, "end_index": 1, "file_path": {"file_id": "f"}}
    text = expected.text("x", *[note] * 61)

    counts, refused = bring(client, thread(), message("msg_a", content=[text], role="assistant"), message("msg_b"))

    assert (counts, refused) == ((1, 1, 0), [(2, "it is too large to be stored")])


@pytest.mark.parametrize("line", [b"id,role,content", b"\x1f\x8b\x08\x00\xff", b"<html>"])
def test_a_file_of_another_kind_is_one_line(client: Client, line: bytes) -> None:
    from tools.transfer.errors import FileError

    with pytest.raises(FileError, match=r"^none of the first 100 lines is a thread or message: of line 1, it is "):
        bring(client, b"\n".join([line] * 200))


def test_a_short_file_without_anything_good_is_told_line_by_line(client: Client) -> None:
    counts, refused = bring(client, "a", "b")

    assert (counts, [number for number, _ in refused]) == ((0, 0, 0), [1, 2])


def test_a_message_whose_thread_is_refused_is_too(client: Client) -> None:
    _, refused = bring(client, thread("thread_1", _LATER), message("msg_a", thread_id="thread_1"))

    assert [number for number, _ in refused] == [1, 2]
    assert client.create("list_threads") == expected.page([])


def test_two_messages_never_have_one_place(client: Client) -> None:
    """An id of ours that is the very place which a message before it would have had."""
    from shared import ids

    lowest = ids.lowest_ulid(CREATED * 1000)
    native, above = (message(f"msg_{ulid}") for ulid in (lowest, ids.next_ulid(lowest)))
    first, second = message("msg_a"), message("msg_b")

    assert bring(client, thread(), first, above, native, second) == ((1, 4, 0), [])

    assert client.page(THREAD, order="asc") == expected.page([native, above, first, second])


def test_the_lines_of_several_threads_may_come_in_any_order(client: Client) -> None:
    threads = [thread(f"thread_{number}", CREATED + number) for number in range(3)]
    found = [
        message(f"msg_{number}", created_at=CREATED + number // 3, thread_id=f"thread_{number % 3}")
        for number in range(30)
    ]

    assert bring(client, *found[::-1], *threads) == ((3, 30, 0), [])

    for number in range(3):
        own = client.page(f"thread_{number}", order="asc")["data"]
        assert {found["id"] for found in own} == {f"msg_{other}" for other in range(number, 30, 3)}
        assert [found["created_at"] for found in own] == sorted(found["created_at"] for found in own)


def test_the_file_is_never_in_memory(client: Client) -> None:
    from tools.transfer import imports, spool

    class Endless(io.RawIOBase):
        """Lines without end, but for a thread at the end."""

        left = 3_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            if not self.left:
                return 0
            self.left -= 1
            line = jsonl(message(f"msg_{self.left}", "x" * 3_000))
            buffer[: len(line)] = line
            return len(line)

    import tracemalloc

    tracemalloc.start()
    try:
        with spool.opened() as found:
            imports.read(io.BufferedReader(Endless(), 8_192), found, lambda *_: None, lambda _: None)
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
