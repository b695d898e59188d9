"""Writes that need a trusted key: an assistant's message with all fields that a run sets."""

import json
import time
from typing import Any

import pytest

from tests.support import expected
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.expected import compact, missing, plain_id, text, too_long, unknown, unsupported, wrong_type
from tests.support.refusals import refused_message

_CITATION = {
    "type": "file_citation",
    "text": "【0†a】",
    "start_index": 3,
    "end_index": 8,
    "file_citation": {"file_id": "file-1", "quote": "so it is"},
}
_UNQUOTED = {**_CITATION, "file_citation": {"file_id": "file-1"}}
_PATH = {
    "type": "file_path",
    "text": "sandbox:/a",
    "start_index": 0,
    "end_index": 10_000_000,
    "file_path": {"file_id": "file-2"},
}
_INCOMPLETE = {"status": "incomplete", "incomplete_details": {"reason": "max_tokens"}}
_REASONS = "'content_filter', 'max_tokens', 'run_cancelled', 'run_expired' and 'run_failed'"
_DETAILS = expected.invalid("incomplete_details", "only a message of status 'incomplete' has incomplete_details.")
_EMPTY = expected.error("Message content must be non-empty.", "content")


def _body(content: Any = "hello", **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **fields}


def _annotated(*annotations: Any, value: str = "a") -> list[Any]:
    return [{"type": "text", "text": {"value": value, "annotations": list(annotations)}}]


def test_a_message_of_a_run_comes_back_with_all_it_was_given(trusted: Client, clock: Clock) -> None:
    thread_id, now = trusted.thread(), int(time.time())
    content = [
        {"type": "text", "text": "plain"},
        {"type": "text", "text": {"value": "annotated", "annotations": [_CITATION, _UNQUOTED, _PATH]}},
        {"type": "text", "text": {"value": "bare"}},
        {"type": "refusal", "refusal": "no"},
        {"type": "image_file", "image_file": {"file_id": "file-3"}},
    ]

    answer = trusted.call(
        "create_message", thread_id, body=_body(content, assistant_id="asst_1", run_id="run_1", **_INCOMPLETE)
    )

    stored = expected.message(
        thread_id,
        answer.body["id"],
        now,
        [
            text("plain"),
            text("annotated", _CITATION, _UNQUOTED, _PATH),
            text("bare"),
            {"type": "refusal", "refusal": "no"},
            {"type": "image_file", "image_file": {"file_id": "file-3", "detail": "auto"}},
        ],
        role="assistant",
        assistant_id="asst_1",
        run_id="run_1",
        incomplete_at=now,
        **_INCOMPLETE,
    )
    assert (answer.status, answer.text) == (200, compact(stored))
    for read in (
        trusted.call("retrieve_message", thread_id, stored["id"]),
        trusted.call("modify_message", thread_id, stored["id"], body={"metadata": {}}),
    ):
        assert read.text == answer.text
    for query in ({}, {"run_id": "run_1"}):
        assert trusted.call("list_messages", thread_id, query=query).text == compact(expected.page([stored]))


@pytest.mark.parametrize(
    "fields",
    [{}, {"assistant_id": None, "run_id": None, "incomplete_details": None, "status": None}, {"status": "completed"}],
)
def test_all_of_it_is_optional(trusted: Client, clock: Clock, fields: dict[str, Any]) -> None:
    thread_id = trusted.thread()

    created = trusted.create("create_message", thread_id, body=_body(**fields))

    usual = expected.message(thread_id, created["id"], int(time.time()), [text("hello")], role="assistant")
    assert created == usual


def test_null_in_an_annotation_means_absent(trusted: Client) -> None:
    unquoted = {**_CITATION, "file_citation": {"file_id": "file-1", "quote": None}}
    content = [*_annotated(unquoted), {"type": "text", "text": {"value": "b", "annotations": None}}]

    created = trusted.create("create_message", trusted.thread(), body=_body(content))

    assert created["content"] == [text("a", _UNQUOTED), text("b")]


def test_the_first_messages_of_a_thread_may_be_of_a_run(trusted: Client) -> None:
    thread_id = trusted.thread(messages=[_body(run_id="run_1"), expected.ROLE_USER, _body(run_id="run_1")])

    third, second, first = trusted.page(thread_id)["data"]
    assert [message["run_id"] for message in (first, second, third)] == ["run_1", None, "run_1"]
    assert trusted.page(thread_id, run_id="run_1")["data"] == [third, first]


_EXTENSIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (_body(run_id="run_1"), unknown("run_id")),
    (_body(assistant_id="asst_1"), unknown("assistant_id")),
    (_body(**_INCOMPLETE), unknown("status")),
    (_body(_annotated(_PATH)), unknown("content[0].text.annotations")),
    (
        _body([{"type": "refusal", "refusal": "no"}]),
        unsupported("content[0].type", "refusal", "'text', 'image_url' and 'image_file'"),
    ),
]


@pytest.mark.parametrize(("body", "error"), _EXTENSIONS, ids=range(len(_EXTENSIONS)))
def test_with_another_key_or_role_these_are_unknown(
    anybody: Client, trusted: Client, body: dict[str, Any], error: object
) -> None:
    ordinary = refused_message(anybody, body)
    of_a_user = refused_message(trusted, body | {"role": "user"})

    assert (ordinary.status, ordinary.body) == (of_a_user.status, of_a_user.body) == (400, error)


def _out_of_range(which: str, rule: str, index: int) -> dict[str, Any]:
    path, code = "content[0].text.annotations[0].end_index", f"integer_{which.replace('imum', '').replace(' ', '_')}"
    message = f"Invalid '{path}': integer {which}. Expected a value {rule}, but got {index} instead."
    return expected.error(message, path, code)


REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (_body(more=1), unknown("more")),
    (_body(role="assistant", content=None), wrong_type("content", "a string or an array", "null")),
    (_body(""), _EMPTY),
    (_body([]), _EMPTY),
    (_body(_annotated(_PATH, value="")), _EMPTY),
    (_body([{"type": "refusal", "refusal": ""}]), _EMPTY),
    (_body([{"type": "refusal"}]), missing("content[0].refusal")),
    (_body([{"type": "refusal", "refusal": 5}]), wrong_type("content[0].refusal", "a string", "an integer")),
    (
        _body([{"type": "text", "text": "a" * 128_000}, {"type": "refusal", "refusal": "b" * 128_001}]),
        too_long("content", 256_000, 256_001),
    ),
    (_body(_annotated(value="a" * 256_001)), too_long("content", 256_000, 256_001)),
    (_body([{"type": "text", "text": 5}]), wrong_type("content[0].text", "a string or an object", "an integer")),
    (_body([{"type": "text", "text": {}}]), missing("content[0].text.value")),
    (_body([{"type": "text", "text": {"stored": 1}}]), missing("content[0].text.value")),
    (_body([{"type": "text", "text": {"value": "a", "more": 1}}]), unknown("content[0].text.more")),
    (_body(_annotated(5)), wrong_type("content[0].text.annotations[0]", "an object", "an integer")),
    (_body(_annotated({})), missing("content[0].text.annotations[0].type")),
    (
        _body(_annotated({"type": "url"})),
        unsupported("content[0].text.annotations[0].type", "url", "'file_citation' and 'file_path'"),
    ),
    (_body(_annotated(_PATH, {"type": "file_path"})), missing("content[0].text.annotations[1].text")),
    (
        _body(_annotated({**_PATH, "start_index": 1.0})),
        wrong_type("content[0].text.annotations[0].start_index", "an integer", "a decimal"),
    ),
    (
        _body(_annotated({**_PATH, "end_index": True})),
        wrong_type("content[0].text.annotations[0].end_index", "an integer", "a boolean"),
    ),
    (_body(_annotated({**_PATH, "end_index": -1})), _out_of_range("below minimum value", ">= 0", -1)),
    *(
        (_body(_annotated({**_PATH, "end_index": index})), _out_of_range("above maximum value", "<= 10000000", index))
        for index in (10_000_001, 10**30)
    ),
    (_body(_annotated({**_PATH, "file_citation": {}})), unknown("content[0].text.annotations[0].file_citation")),
    (
        _body(_annotated({**_PATH, "file_path": {"file_id": "f", "file_path": 1}})),
        unknown("content[0].text.annotations[0].file_path.file_path"),
    ),
    (
        _body(_annotated({**_PATH, "file_path": {"file_id": ""}})),
        expected.empty("content[0].text.annotations[0].file_path.file_id"),
    ),
    (
        _body(_annotated({**_CITATION, "file_citation": {"file_id": "f", "quote": "\ud800"}})),
        expected.surrogate("content[0].text.annotations[0].file_citation.quote"),
    ),
    (_body(_annotated(value="\ud800")), expected.surrogate("content[0].text.value")),
    (_body([{"type": "refusal", "refusal": "\ud800"}]), expected.surrogate("content[0].refusal")),
    (_body(run_id=5), wrong_type("run_id", "a string", "an integer")),
    (_body(run_id="r" * 129), too_long("run_id", 128, 129)),
    *(
        (_body(**{name: value}), plain_id(name, value))
        for name in ("run_id", "assistant_id")
        for value in ("", "a#b", "a b", "é", "run_1\n", 'a"')
    ),
    (_body(run_id="\ud800"), expected.surrogate("run_id")),
    (_body(status="in_progress"), unsupported("status", "in_progress", "'completed' and 'incomplete'")),
    (_body(status="incomplete"), missing("incomplete_details")),
    (_body(status="incomplete", incomplete_details=None), missing("incomplete_details")),
    (_body(status=None, incomplete_details={"reason": "max_tokens"}), _DETAILS),
    (_body(incomplete_details={"reason": "max_tokens"}), _DETAILS),
    (_body(status="incomplete", incomplete_details={}), missing("incomplete_details.reason")),
    (
        _body(status="incomplete", incomplete_details={"reason": "x"}),
        unsupported("incomplete_details.reason", "x", _REASONS),
    ),
    (_body(status="incomplete", incomplete_details=5), wrong_type("incomplete_details", "an object", "an integer")),
]


@pytest.mark.parametrize(("body", "error"), REFUSED, ids=range(len(REFUSED)))
def test_what_even_a_trusted_key_may_not_write(trusted: Client, body: dict[str, Any], error: object) -> None:
    answer = refused_message(trusted, json.dumps(body))

    assert (answer.status, answer.body) == (400, error)


def test_the_path_of_an_error_begins_with_the_message_of_a_new_thread(trusted: Client) -> None:
    answer = trusted.call("create_thread", body={"messages": [_body(), _body(status="incomplete")]})

    assert (answer.status, answer.body) == (400, missing("messages[1].incomplete_details"))
