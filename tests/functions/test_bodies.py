"""The bodies that create message refuses: status, param, code and message of each row of the error table."""

from typing import Any

import pytest

from tests.support import expected
from tests.support.client import Client
from tests.support.expected import (
    empty,
    invalid,
    missing,
    too_long,
    too_many,
    too_many_pairs,
    unknown,
    unsupported,
    wrong_type,
)
from tests.support.refusals import refused_message

_ROLES = "'user' and 'assistant'"
_PARTS = "'text', 'image_url' and 'image_file'"
_DETAILS = "'auto', 'low' and 'high'"
_TOOLS = "'code_interpreter' and 'file_search'"
_EMPTY = expected.error("Message content must be non-empty.", "content")
_URL = "content[0].image_url.url"
_DATA_URL = invalid(_URL, "a data: URL is a file, and this service does not store files.")
_BLANKS = invalid(_URL, "a URL must not begin or end with white space.")


def _url(**image: Any) -> list[Any]:
    return [{"type": "image_url", "image_url": image}]


def _file(**image: Any) -> list[Any]:
    return [{"type": "image_file", "image_file": image}]


def _stored(**value: Any) -> list[Any]:
    return [{"type": "text", "text": value}]


def _tools(*tools: Any) -> list[Any]:
    return [{"file_id": "file-1", "tools": list(tools)}]


ROLES = [
    ("human", unsupported("role", "human", _ROLES)),
    ("", unsupported("role", "", _ROLES)),
    ("User", unsupported("role", "User", _ROLES)),
    ("system", unsupported("role", "system", _ROLES)),
    (None, wrong_type("role", "a string", "null")),
    (True, wrong_type("role", "a string", "a boolean")),
    (5, wrong_type("role", "a string", "an integer")),
    (5.5, wrong_type("role", "a string", "a decimal")),
    (["user"], wrong_type("role", "a string", "an array")),
    ({"user": 1}, wrong_type("role", "a string", "an object")),
]
CONTENTS: list[tuple[Any, dict[str, Any]]] = [
    ("", _EMPTY),
    ([], _EMPTY),
    ([{"type": "text", "text": ""}, {"type": "text", "text": ""}], _EMPTY),
    (None, wrong_type("content", "a string or an array", "null")),
    (5, wrong_type("content", "a string or an array", "an integer")),
    ({}, wrong_type("content", "a string or an array", "an object")),
    (["x"], wrong_type("content[0]", "an object", "a string")),
    ([None], wrong_type("content[0]", "an object", "null")),
    ([{}], missing("content[0].type")),
    ([{"type": "video"}], unsupported("content[0].type", "video", _PARTS)),
    ([{"type": None}], wrong_type("content[0].type", "a string", "null")),
    ([{"type": ["text"]}], wrong_type("content[0].type", "a string", "an array")),
    ([{"type": "text"}], missing("content[0].text")),
    (
        [{"type": "text", "text": "a"}, {"type": "text", "text": 1}],
        wrong_type("content[1].text", "a string or an object", "an integer"),
    ),
    ([{"type": "text", "text": None}], wrong_type("content[0].text", "a string or an object", "null")),
    (_stored(), missing("content[0].text.value")),
    (_stored(value=None), wrong_type("content[0].text.value", "a string", "null")),
    (_stored(value=5), wrong_type("content[0].text.value", "a string", "an integer")),
    (_stored(value=""), _EMPTY),
    (_stored(value="x" * 256_001), too_long("content", 256_000, 256_001)),
    (_stored(value="a", text=1), unknown("content[0].text.text")),
    (_stored(text="a"), missing("content[0].text.value")),
    (_stored(value="a", annotations={}), wrong_type("content[0].text.annotations", "an array", "an object")),
    (_stored(value="a", annotations=[{}]), unknown("content[0].text.annotations")),
    ([{"type": "text", "text": "a", "more": 1}], unknown("content[0].more")),
    ([{"type": "text", "text": "a", "[key]": 1}], unknown("content[0].[key]")),
    ([{"type": "text", "text": "a", "parts": 1}], unknown("content[0].parts")),
    ([{"type": "text", "text": "a", "image_url": None}], unknown("content[0].image_url")),
    ([{"type": "refusal", "refusal": "no"}], unsupported("content[0].type", "refusal", _PARTS)),
    ([{"type": "image_url"}], missing("content[0].image_url")),
    ([{"type": "image_url", "image_url": "x"}], wrong_type("content[0].image_url", "an object", "a string")),
    (_url(), missing("content[0].image_url.url")),
    (_url(url=5), wrong_type("content[0].image_url.url", "a string", "an integer")),
    (_url(url="x", detail="huge"), unsupported("content[0].image_url.detail", "huge", _DETAILS)),
    (_url(url="x", more=1), unknown("content[0].image_url.more")),
    (_url(url="x", image_url=1), unknown("content[0].image_url.image_url")),
    (_url(url=""), empty(_URL)),
    *((_url(url=url), _BLANKS) for url in (" ", " x", "x ", "x\n", "\tx", "\u00a0x", " data:,")),
    (_url(url="x" * 8193), too_long(_URL, 8192, 8193)),
    (_url(url=None), wrong_type(_URL, "a string", "null")),
    (_url(url="data:image/png;base64,AA=="), _DATA_URL),
    (_url(url="DATA:,"), _DATA_URL),
    (_file(), missing("content[0].image_file.file_id")),
    (_file(file_id=""), empty("content[0].image_file.file_id")),
    (_file(file_id="x" * 129), too_long("content[0].image_file.file_id", 128, 129)),
    (_file(file_id="x", detail="x"), unsupported("content[0].image_file.detail", "x", _DETAILS)),
    ([{"type": "text", "text": "a"}] * 65, too_many("content", 64, 65)),
]
METADATA = [
    (5, wrong_type("metadata", "an object", "an integer")),
    ([], wrong_type("metadata", "an object", "an array")),
    ("a", wrong_type("metadata", "an object", "a string")),
    ({"a": True}, wrong_type("metadata.a", "a string", "a boolean")),
    ({"a": None}, wrong_type("metadata.a", "a string", "null")),
    ({"a": {}}, wrong_type("metadata.a", "a string", "an object")),
    ({"a.b[0]": 1}, wrong_type("metadata.a.b[0]", "a string", "an integer")),
    ({"[key]": 1}, wrong_type("metadata.[key]", "a string", "an integer")),
    ({"metadata": 1}, wrong_type("metadata.metadata", "a string", "an integer")),
    ({"[key]": "x" * 513}, too_long("metadata.[key]", 512, 513)),
    ({"a": "x" * 513}, too_long("metadata.a", 512, 513)),
    ({"": "x"}, expected.property_name("metadata", 0)),
    ({"k" * 65: "x"}, expected.property_name("metadata", 65)),
    ({"é" * 65: 1}, expected.property_name("metadata", 65)),
    ({str(number): "x" for number in range(17)}, too_many_pairs("metadata", 16, 17)),
]
ATTACHMENTS = [
    ({}, wrong_type("attachments", "an array", "an object")),
    ([5], wrong_type("attachments[0]", "an object", "an integer")),
    ([{}, {"more": 1}], unknown("attachments[1].more")),
    ([None], wrong_type("attachments[0]", "an object", "null")),
    ([{"file_id": ""}], empty("attachments[0].file_id")),
    ([{"file_id": "x" * 129}], too_long("attachments[0].file_id", 128, 129)),
    ([{"tools": {}}], wrong_type("attachments[0].tools", "an array", "an object")),
    ([{"type": "tools", "tools": [{"type": "x"}]}], unsupported("attachments[0].tools[0].type", "x", _TOOLS)),
    ([{"type": "tools", "tools": []}], unknown("attachments[0].type")),
    (_tools({"type": None}), wrong_type("attachments[0].tools[0].type", "a string", "null")),
    (_tools({"type": "file_search", "file_search": {}}), unknown("attachments[0].tools[0].file_search")),
    (_tools({"type": "code_interpreter", "code_interpreter": 1}), unknown("attachments[0].tools[0].code_interpreter")),
    (_tools("x"), wrong_type("attachments[0].tools[0]", "an object", "a string")),
    (_tools({}), missing("attachments[0].tools[0].type")),
    (_tools({"type": "function"}), unsupported("attachments[0].tools[0].type", "function", _TOOLS)),
    (_tools({"type": "file_search", "more": 1}), unknown("attachments[0].tools[0].more")),
    (_tools(*[{"type": "file_search"}] * 3), too_many("attachments[0].tools", 2, 3)),
    ([{}] * 21, too_many("attachments", 20, 21)),
]
FIELDS = [
    ({}, missing("role")),
    ({"role": "user"}, missing("content")),
    ({"content": "x"}, missing("role")),
    ({**expected.ROLE_USER, "more": 1}, unknown("more")),
    ({**expected.ROLE_USER, "": 1}, unknown("")),
    ({**expected.ROLE_USER, "[key]": 1}, unknown("[key]")),
    ({**expected.ROLE_USER, "file_ids": []}, unknown("file_ids")),
    ({**expected.ROLE_USER, "id": "msg_1"}, unknown("id")),
    *(({**expected.ROLE_USER, name: None}, unknown(name)) for name in ("assistant_id", "run_id", "incomplete_details")),
    ({**expected.ROLE_USER, "status": "completed"}, unknown("status")),
]
BODIES = [
    *(({"role": role, "content": "x"}, error) for role, error in ROLES),
    *(({"role": "user", "content": content}, error) for content, error in CONTENTS),
    *(({**expected.ROLE_USER, "metadata": metadata}, error) for metadata, error in METADATA),
    *(({**expected.ROLE_USER, "attachments": attachments}, error) for attachments, error in ATTACHMENTS),
    *FIELDS,
]


@pytest.mark.parametrize(("body", "error"), BODIES, ids=range(len(BODIES)))
def test_a_message_that_the_contract_does_not_have_is_refused(
    anybody: Client, body: dict[str, Any], error: dict[str, Any]
) -> None:
    answer = refused_message(anybody, body)

    assert (answer.status, answer.body) == (400, error)


@pytest.mark.parametrize(
    "fields",
    [
        {"attachments": None, "metadata": None},
        {"content": _url(url="u", detail=None)},
        {"content": _file(file_id="f", detail=None)},
        {"attachments": [{"file_id": None, "tools": None}]},
        {"content": _stored(value="a", annotations=None)},
    ],
)
def test_null_for_an_optional_field_means_absent(client: Client, fields: dict[str, Any]) -> None:
    thread_id = client.thread()

    with_null = client.message(thread_id, **fields)
    without = client.message(thread_id, **_without_null(fields))

    own = {name: with_null[name] for name in ("id", "created_at")}
    assert with_null == without | own


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(field) for name, field in value.items() if field is not None}
    return [_without_null(element) for element in value] if isinstance(value, list) else value


def test_a_message_that_was_read_can_be_written_again(client: Client) -> None:
    content = [{"type": "text", "text": "a"}, *_stored(value="b"), *_url(url="u"), *_file(file_id="f", detail="low")]
    first = client.message(
        client.thread(), content, attachments=[{}, {"file_id": "f"}, *_tools({"type": "file_search"})]
    )
    body = {name: first[name] for name in ("role", "content", "attachments", "metadata")}

    second = client.create("create_message", client.thread(), body=body)
    third = client.create("modify_message", second["thread_id"], second["id"], body={"content": first["content"]})

    assert first["content"] == [expected.text("a"), expected.text("b"), *_url(url="u", detail="auto"), content[3]]
    assert first["attachments"] == [{"tools": []}, {"file_id": "f", "tools": []}, *_tools({"type": "file_search"})]
    assert {name: second[name] for name in body} == {name: third[name] for name in body} == body


def test_attachments_that_an_earlier_version_stored_are_read_with_their_tools(client: Client) -> None:
    from shared.records import MessageData
    from shared.store import messages

    thread_id = client.thread()
    old = [{"file_id": '\\"}{"file_id":"x"}'}, {}, *_tools({"type": "file_search"}), {"tools": []}]
    data = MessageData("user", expected.compact([expected.text("a")]), expected.compact(old))
    message, _ = messages.create(client.project, thread_id, data, None, during_run=False)

    whole = [{"file_id": '\\"}{"file_id":"x"}', "tools": []}, {"tools": []}, *old[2:]]
    stored = expected.message(thread_id, message.id, message.created_at, [expected.text("a")], attachments=whole)
    assert client.call("retrieve_message", thread_id, message.id).text == expected.compact(stored)
    assert client.call("list_messages", thread_id).text == expected.compact(expected.page([stored]))
