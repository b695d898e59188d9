"""Limits: a value at exactly the contract's limit is accepted, and a value above it by one is refused."""

from typing import Any

import pytest

from tests.support.client import Client
from tests.support.expected import error, missing, property_name, text, too_long, too_many, too_many_pairs
from tests.support.refusals import NOTHING, NOWHERE, refused

_PAIRS = {f"{number:02}" + "k" * 62: "\U0001f408" * 512 for number in range(16)}


TAKEN: list[dict[str, Any]] = [
    {"content": [{"type": "text", "text": "a"}] * 64},
    {"content": [{"type": "text", "text": ""}, {"type": "text", "text": "a"}]},
    {"content": [{"type": "image_url", "image_url": {"url": "h" * 8192}}]},
    {"content": [{"type": "image_file", "image_file": {"file_id": "f" * 128}}]},
    {"metadata": _PAIRS},
    {"metadata": {"k": "", "\U0001f408" * 64: "v"}},
    {"attachments": [{"file_id": "f" * 128, "tools": [{"type": "file_search"}, {"type": "code_interpreter"}]}] * 20},
    {"attachments": [{"file_id": "f", "tools": []}, {"tools": []}]},
]


@pytest.mark.parametrize("fields", TAKEN, ids=range(len(TAKEN)))
def test_what_is_as_large_as_allowed_comes_back_equal(client: Client, fields: dict[str, Any]) -> None:
    thread_id = client.thread()

    created = client.message(thread_id, **fields)

    assert client.create("retrieve_message", thread_id, created["id"]) == created
    assert created["metadata"] == fields.get("metadata", {})
    assert created["attachments"] == fields.get("attachments", [])
    assert len(created["content"]) == len(fields.get("content", "a"))


def test_a_thread_begins_with_32_messages_at_most(client: Client, anybody: Client) -> None:
    messages = [{"role": "user", "content": str(number)} for number in range(32)]

    thread_id = client.thread(messages=messages)
    answer = refused(anybody, "create_thread", body={"messages": [*messages, messages[0]]})

    listed = client.page(thread_id, order="asc", limit=100)["data"]
    assert [message["content"] for message in listed] == [[text(str(number))] for number in range(32)]
    assert (answer.status, answer.body) == (400, too_many("messages", 32, 33))


def test_the_limits_hold_for_the_first_messages_of_a_thread(anybody: Client) -> None:
    good = {"role": "user", "content": "a"}
    cases = [
        ({}, missing("messages[1].role")),
        ({**good, "content": "a" * 256_001}, too_long("messages[1].content", 256_000, 256_001)),
        ({**good, "content": ""}, error("Message content must be non-empty.", "messages[1].content")),
        ({**good, "metadata": {"k" * 65: ""}}, property_name("messages[1].metadata", 65)),
    ]

    for message, expected in cases:
        answer = refused(anybody, "create_thread", body={"messages": [good, message]})
        assert (answer.status, answer.body) == (400, expected)


@pytest.mark.parametrize(
    ("function", "ids"), [("create_thread", ()), ("modify_thread", (NOWHERE,)), ("modify_message", (NOWHERE, NOTHING))]
)
def test_metadata_has_the_same_limits_everywhere(anybody: Client, function: str, ids: tuple[str, ...]) -> None:
    cases = [
        ({**_PAIRS, "more": ""}, too_many_pairs("metadata", 16, 17)),
        ({"k": "v" * 513}, too_long("metadata.k", 512, 513)),
        ({"k" * 65: "v"}, property_name("metadata", 65)),
        ({"": "v"}, property_name("metadata", 0)),
    ]

    for metadata, expected in cases:
        answer = refused(anybody, function, *ids, body={"metadata": metadata})
        assert (answer.status, answer.body) == (400, expected)


@pytest.mark.parametrize("function", ["create_thread", "modify_thread"])
def test_tool_resources_are_16_kilobytes_of_json_at_most(client: Client, anybody: Client, function: str) -> None:
    # {"a":"…"} has 8 bytes beside the text, which has two a character.
    largest = {"a": "é" * ((16_384 - 8) // 2)}
    ids = [client.thread()] if function == "modify_thread" else []

    stored = client.create(function, *ids, body={"tool_resources": largest})
    answer = refused(anybody, function, *ids, body={"tool_resources": {"a": largest["a"] + "b"}})

    assert stored["tool_resources"] == largest
    message = "Invalid 'tool_resources': it is larger than 16384 bytes."
    assert (answer.status, answer.body) == (400, error(message, "tool_resources", "invalid_value"))


def test_a_number_too_large_for_any_reader_is_refused_in_tool_resources(anybody: Client) -> None:
    answer = refused(anybody, "create_thread", body='{"tool_resources":{"a":1e999}}')

    message = "Invalid 'tool_resources': it contains a number that is too large."
    assert (answer.status, answer.body) == (400, error(message, "tool_resources", "invalid_value"))


def test_an_idempotency_key_has_255_characters_at_most(client: Client, anybody: Client) -> None:
    body = {"role": "user", "content": "a"}
    message = "Invalid 'Idempotency-Key': expected 1 to 255 printable ASCII characters."

    client.create("create_message", client.thread(), body=body, headers={"idempotency-key": "~" * 254 + " "})
    for key in ("", "k" * 256, "é", "a\n", "\x7f", "a\tb"):
        answer = refused(anybody, "create_message", NOWHERE, body=body, headers={"idempotency-key": key})
        assert (answer.status, answer.body) == (400, error(message, "Idempotency-Key", "invalid_value"))
