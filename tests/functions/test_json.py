"""Rules for every body: JSON in UTF-8, an object, not nested too deeply. Its characters are kept."""

import gzip
import json
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.expected import compact, missing, not_json, not_parsed, surrogate, text, unknown, unsupported
from tests.support.refusals import NOTHING, NOWHERE, refused, refused_message

_NOT_UTF8 = not_parsed("it is not UTF-8")
_UNFINISHED = not_json("expecting property name enclosed in double quotes", 2)
_TOO_DEEP = not_parsed("it is nested too deeply")
_USER = '{"role":"user","content":"a"'

REFUSED = [
    ("{", _UNFINISHED),
    ("role=user&content=a", not_json("expecting value", 1)),
    (_USER + "} x", not_json("extra data", 31)),
    (_USER + ' "metadata":{}}', not_json("expecting ',' delimiter", 30)),
    ('{"role":"user",\n "content":"Größe 🐈}', not_json("unterminated string starting", 12, line=2)),
    ('{"role":"user","content":"a\x00"}', not_json("invalid control character", 28)),
    ('{"role":"user","content":"\\x"}', not_json("invalid \\escape", 27)),
    (b'{"role":"user","content":"\xff"}', _NOT_UTF8),
    (b'{"role":"user","content":"\xed\xa0\x80"}', _NOT_UTF8),
    ((_USER + "}").encode("utf-16"), _NOT_UTF8),
    (gzip.compress(b"{}"), _NOT_UTF8),
    (_USER + ',"metadata":{"a":NaN}}', not_json("invalid value NaN", 46)),
    (_USER + ',\n"metadata":{"NaN":"\\"NaN", "a":-Infinity}}', not_json("invalid value -Infinity", 32, line=2)),
    ('{"role":"user","content":' + "9" * 5000 + "}", not_parsed("it contains a number with too many digits")),
    ("[" * 100_000, _TOO_DEEP),
    ('{"a":' * 100_000, _TOO_DEEP),
    ("null", not_parsed("it is null")),
    ("[{}]", not_parsed("it is an array")),
    ('"x"', not_parsed("it is a string")),
    ("5", not_parsed("it is an integer")),
    ("true", not_parsed("it is a boolean")),
    ('{"a":' * 65 + "1" + "}" * 65, _TOO_DEEP),
    ('{"a":' + "[" * 64 + "]" * 64 + "}", _TOO_DEEP),
    (_USER + ',"a":' + "[" * 63 + "]" * 63 + "}", unknown("a")),
    ("", missing("role")),
    ("  \n", missing("role")),
    (b"", missing("role")),
    ("\ufeff", missing("role")),
    ("[]", missing("role")),
    (" [ ] ", missing("role")),
    ('{"role":"user","content":"a","role":"human"}', unsupported("role", "human", "'user' and 'assistant'")),
]


@pytest.mark.parametrize(("body", "error"), REFUSED, ids=range(len(REFUSED)))
def test_a_body_that_is_no_json_object_is_refused(anybody: Client, body: str | bytes, error: object) -> None:
    answer = refused_message(anybody, body)

    assert (answer.status, answer.body) == (400, error)


@pytest.mark.parametrize(
    ("function", "ids"),
    [
        ("create_thread", ()),
        ("modify_thread", (NOWHERE,)),
        ("create_message", (NOWHERE,)),
        ("modify_message", (NOWHERE, NOTHING)),
    ],
)
def test_every_operation_with_a_body_parses_it(anybody: Client, function: str, ids: tuple[str, ...]) -> None:
    assert refused(anybody, function, *ids, body="{").body == _UNFINISHED
    assert refused(anybody, function, *ids, body="[1]").body == not_parsed("it is an array")


@pytest.mark.parametrize("body", ["[]", "[ ]\n", b"[]", "\ufeff[]", "\ufeff{}", b"\xef\xbb\xbf{}", b"\xef\xbb\xbf"])
def test_an_empty_array_is_an_empty_body_and_a_byte_order_mark_is_skipped(client: Client, body: str | bytes) -> None:
    headers = {"idempotency-key": "k"}
    thread = client.create("create_thread", headers=headers)

    assert client.create("create_thread", body=body, headers=headers) == thread
    assert client.create("modify_thread", thread["id"], body=body) == thread


@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff \n"])
def test_a_message_after_a_byte_order_mark_is_stored(client: Client, mark: str) -> None:
    thread_id = client.thread()

    for body in (mark + _USER + "}", (mark + _USER + "}").encode()):
        assert client.create("create_message", thread_id, body=body)["content"] == [text("a")]


@pytest.mark.parametrize("body", ["e30", "é", "{}"])
def test_a_body_that_claims_to_be_base64_and_is_not_is_refused(anybody: Client, body: str) -> None:
    from tests.support.client import invoke

    event = anybody.event("create_message", NOWHERE, body=body) | {"isBase64Encoded": True}

    answer = invoke("create_message", event)

    # The base64 decoder ignores characters that it does not know. Of `{}` nothing remains, which is an empty body.
    assert (answer.status, answer.body) == (400, missing("role") if body == "{}" else _NOT_UTF8)


def test_a_body_of_any_content_type_may_arrive_in_base64(client: Client) -> None:
    thread_id = client.thread()
    body = '{"role":"user","content":"Größe 🐈"}'

    for sent in (body, body.encode()):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
            stored = client.create("create_message", thread_id, body=sent, headers={"content-type": kind})
            assert stored["content"] == [text("Größe 🐈")]


@pytest.mark.parametrize(
    "content",
    [
        " ",
        "\n",
        "a\x00b\x01\x1f\x7f\x85\u2028\ufeff\ufffe\U0010ffff",
        "🐈\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301",
        '"\\/\b\f\n\r\t',
        "</script>{}[]",
        "\u202eabc",
    ],
)
def test_every_character_comes_back_as_it_was_sent(client: Client, content: str) -> None:
    thread_id = client.thread()

    created = client.message(thread_id, content, metadata={content: content})
    retrieved = client.create("retrieve_message", thread_id, created["id"])

    assert created == retrieved == {**created, "content": [text(content)], "metadata": {content: content}}
    assert client.page(thread_id)["data"] == [created]


def test_of_a_key_that_is_given_twice_the_last_one_counts(client: Client) -> None:
    stored = client.create("create_message", client.thread(), body='{"role":"user","content":"a","content":"b"}')

    assert stored["content"] == [text("b")]


_LONE = "\ud83d"
_IN_A_MESSAGE: list[tuple[dict[str, Any], object]] = [
    ({"content": _LONE}, surrogate("content")),
    ({"content": f"a{_LONE}b"}, surrogate("content")),
    ({"content": "\ude00\ud83d"}, surrogate("content")),
    ({"content": [{"type": "text", "text": _LONE}]}, surrogate("content[0].text")),
    ({"content": [{"type": "text", "text": "a", _LONE: 1}]}, surrogate("content[0]")),
    ({"content": [{"type": "text", "text": {"value": _LONE}}]}, surrogate("content[0].text.value")),
    ({"content": [{"type": "text", "text": {"value": "a", _LONE: 1}}]}, surrogate("content[0].text")),
    ({"attachments": [{"tools": [{"type": "file_search", _LONE: 1}]}]}, surrogate("attachments[0].tools[0]")),
    ({"content": [{"type": "image_url", "image_url": {"url": _LONE}}]}, surrogate("content[0].image_url.url")),
    (
        {"content": [{"type": "image_file", "image_file": {"file_id": _LONE}}]},
        surrogate("content[0].image_file.file_id"),
    ),
    ({"metadata": {"a": _LONE}}, surrogate("metadata.a")),
    ({"metadata": {"[key]": _LONE}}, surrogate("metadata.[key]")),
    ({"metadata": {_LONE: "a"}}, surrogate("metadata")),
    ({"attachments": [{"file_id": _LONE}]}, surrogate("attachments[0].file_id")),
    ({"role": _LONE}, surrogate("role")),
    ({_LONE: 1}, surrogate(None)),
]


@pytest.mark.parametrize(("fields", "error"), _IN_A_MESSAGE, ids=range(len(_IN_A_MESSAGE)))
def test_a_lone_surrogate_is_refused_wherever_it_stands(anybody: Client, fields: dict[str, Any], error: object) -> None:
    body = json.dumps({"role": "user", "content": "a"} | fields)

    answer = refused_message(anybody, body)

    assert (answer.status, answer.body) == (400, error)


@pytest.mark.parametrize("resources", [{"a": [{"b": _LONE}]}, {_LONE: 1}])
def test_a_lone_surrogate_in_tool_resources_is_refused(anybody: Client, resources: object) -> None:
    answer = refused(anybody, "create_thread", body={"tool_resources": resources})

    assert (answer.status, answer.body) == (400, surrogate("tool_resources"))


def test_two_escapes_that_make_one_character_are_one(client: Client) -> None:
    stored = client.create("create_message", client.thread(), body='{"role":"user","content":"\\ud83d\\ude00"}')

    assert stored["content"] == [text("😀")]


def test_a_refusal_repeats_only_as_much_as_an_answer_carries(anybody: Client) -> None:
    long = "é" * 1_000_000

    for body in ({"role": long, "content": "a"}, {"role": "user", "content": "a", long: 1}):
        answer = refused_message(anybody, compact(body))
        assert answer.status == 400
        assert len(answer.text) < 30_000
