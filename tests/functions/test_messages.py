"""The operations on messages: the whole response of each, and the items that it leaves."""

import json
import random
import re
import time
from typing import Any

import pytest

from tests.model.model import stored_content
from tests.support import expected
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.expected import compact, no_message, no_thread, text
from tests.support.refusals import NOTHING, NOWHERE

_PARTS = [
    {"type": "text", "text": "What is on these?"},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    {"type": "image_url", "image_url": {"url": "https://example.com/b.png", "detail": "low"}},
    {"type": "image_file", "image_file": {"file_id": "file-1"}},
    {"type": "image_file", "image_file": {"file_id": "file-2", "detail": "high"}},
]
_ATTACHMENTS: list[dict[str, Any]] = [
    {"file_id": "file-1", "tools": [{"type": "code_interpreter"}, {"type": "file_search"}]},
    {"file_id": "file-2"},
    {"tools": [{"type": "file_search"}]},
    {},
]
_STORED_ATTACHMENTS = [_ATTACHMENTS[0], {"file_id": "file-2", "tools": []}, _ATTACHMENTS[2], {"tools": []}]


def test_a_message_has_fourteen_keys_in_the_order_of_the_contract(client: Client, clock: Clock) -> None:
    thread_id = client.thread()

    answer = client.call("create_message", thread_id, body={"role": "user", "content": "hello"})

    message_id = answer.body["id"]
    assert re.fullmatch(r"msg_[0-9A-Z]{26}", message_id)
    assert answer.status == 200
    assert answer.text == compact(expected.message(thread_id, message_id, int(time.time()), [text("hello")]))


def test_all_that_a_message_may_have_comes_back(client: Client, clock: Clock) -> None:
    thread_id = client.thread()
    body = {"role": "assistant", "content": _PARTS, "attachments": _ATTACHMENTS, "metadata": {"b": "2", "a": ""}}

    created = client.call("create_message", thread_id, body=body)

    stored = expected.message(
        thread_id,
        created.body["id"],
        int(time.time()),
        stored_content(_PARTS),
        role="assistant",
        attachments=_STORED_ATTACHMENTS,
        metadata={"a": "", "b": "2"},
    )
    assert created.text == compact(stored)
    assert client.call("retrieve_message", thread_id, stored["id"]).text == created.text
    assert client.call("modify_message", thread_id, stored["id"], body={}).text == created.text
    assert client.call("list_messages", thread_id).text == compact(expected.page([stored]))


@pytest.mark.parametrize("size", [10, 1_000, 150_000, 256_000])
def test_a_content_of_any_size_is_read_back_equal(client: Client, size: int) -> None:
    """The content is stored uncompressed, compressed, and in two parts. Such characters do not compress to half."""
    thread_id = client.thread()
    content = "".join(random.Random(size).choices("".join(map(chr, range(0x4E00, 0x9FFF))), k=size))

    created = client.message(thread_id, content)

    assert created["content"] == [text(content)]
    assert client.create("retrieve_message", thread_id, created["id"]) == created
    assert client.page(thread_id)["data"] == [created]
    assert client.create("modify_message", thread_id, created["id"], body={"metadata": {"a": "b"}}) == {
        **created,
        "metadata": {"a": "b"},
    }


def test_modify_replaces_metadata_clears_it_or_leaves_it(client: Client) -> None:
    thread_id = client.thread()
    created = client.message(thread_id, metadata={"a": "1", "b": "2"})
    steps: list[tuple[Any, dict[str, str]]] = [
        ({"metadata": {"c": "3"}}, {"c": "3"}),
        ({}, {"c": "3"}),
        (None, {"c": "3"}),
        ({"metadata": {}}, {}),
        ({"metadata": {"d": "4"}}, {"d": "4"}),
        ({"metadata": None}, {}),
    ]

    for body, metadata in steps:
        answer = client.call("modify_message", thread_id, created["id"], body=body)
        assert (answer.status, answer.text) == (200, compact({**created, "metadata": metadata}))
        assert client.call("retrieve_message", thread_id, created["id"]).text == answer.text


@pytest.mark.parametrize("field", ["role", "attachments", "status", "id"])
def test_modify_takes_metadata_and_content_and_nothing_else(client: Client, field: str) -> None:
    thread_id = client.thread()
    created = client.message(thread_id)

    answer = client.call("modify_message", thread_id, created["id"], body={"metadata": {"a": "b"}, field: "x"})

    assert (answer.status, answer.body) == (400, expected.unknown(field))
    assert client.create("retrieve_message", thread_id, created["id"]) == created


def test_a_deleted_message_is_gone_and_the_others_are_not(client: Client) -> None:
    thread_id = client.thread()
    first, second, third = (client.message(thread_id, content) for content in "abc")

    answer = client.call("delete_message", thread_id, second["id"])

    assert answer.status == 200
    assert answer.text == compact({"id": second["id"], "object": "thread.message.deleted", "deleted": True})
    assert client.page(thread_id)["data"] == [third, first]
    for function in ("retrieve_message", "modify_message", "delete_message"):
        for body in ({}, {"metadata": {"a": "b"}}):
            answer = client.call(function, thread_id, second["id"], body=body)
            assert (answer.status, answer.body) == (404, no_message(second["id"]))


_BODIES: dict[str, Any] = {"create_message": expected.ROLE_USER, "modify_message": {"metadata": {"a": "b"}}}
_ON_A_MESSAGE = ["retrieve_message", "modify_message", "delete_message"]
_ON_A_THREAD = ["create_message", "list_messages"]


@pytest.mark.parametrize("function", _ON_A_MESSAGE)
def test_a_message_that_the_thread_does_not_have_is_not_found(client: Client, function: str) -> None:
    thread_id = client.thread()
    elsewhere = client.message(client.thread())["id"]

    for message_id in (NOTHING, elsewhere, "msg_imported-1"):
        answer = client.call(function, thread_id, message_id, body=_BODIES.get(function))
        assert (answer.status, answer.body) == (404, no_message(message_id))


@pytest.mark.parametrize("function", [*_ON_A_MESSAGE, *_ON_A_THREAD])
def test_a_thread_that_the_project_does_not_have_is_not_found(client: Client, function: str) -> None:
    stranger = Client()
    thread_id = stranger.thread()
    message = stranger.message(thread_id)
    ids = [message["id"]] if function in _ON_A_MESSAGE else []

    for wanted in (NOWHERE, thread_id, "thread_imported-1"):
        answer = client.call(function, wanted, *ids, body=_BODIES.get(function))
        assert (answer.status, answer.body) == (404, no_thread(wanted))
    assert stranger.page(thread_id)["data"] == [message]


def test_stored_json_is_not_parsed_on_the_way_out(client: Client) -> None:
    """Tool resources keep numbers of any size and the order of keys, because they are stored as text."""
    body = '{"tool_resources":{"z":1e2,"a":12345678901234567890.5,"n":' + "9" * 400 + "}}"

    stored = client.call("create_thread", body=body)
    read = client.call("retrieve_thread", stored.body["id"])

    assert read.text == stored.text
    assert json.loads(read.text)["tool_resources"]["n"] == int("9" * 400)
