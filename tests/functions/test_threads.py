"""The operations on threads: the whole response of each, and the items that it leaves."""

import re
import time
from typing import Any

import pytest

from tests.support import expected
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.expected import compact, missing, no_thread, text, too_many, unknown, unsupported, wrong_type
from tests.support.refusals import NOWHERE, refused

_RESOURCES = {
    "code_interpreter": {"file_ids": ["file-1"]},
    "file_search": {"vector_stores": [{"chunking_strategy": {"type": "auto"}, "file_ids": ["f"], "metadata": {}}]},
}


@pytest.mark.parametrize("body", [None, "", " ", "{}", {"messages": None, "metadata": None, "tool_resources": None}])
def test_a_thread_needs_no_body(client: Client, clock: Clock, body: Any) -> None:
    answer = client.call("create_thread", body=body)

    thread_id = answer.body["id"]
    assert re.fullmatch(r"thread_[0-9A-Z]{26}", thread_id)
    assert (answer.status, answer.text) == (200, compact(expected.thread(thread_id, int(time.time()))))
    assert client.call("retrieve_thread", thread_id).text == answer.text
    assert client.page(thread_id)["data"] == []


def test_all_that_a_thread_may_have_comes_back(client: Client, clock: Clock) -> None:
    body = {"metadata": {"b": "2", "a": ""}, "tool_resources": _RESOURCES, "messages": []}

    answer = client.call("create_thread", body=body)

    stored = expected.thread(
        answer.body["id"], int(time.time()), metadata={"a": "", "b": "2"}, tool_resources=_RESOURCES
    )
    assert answer.text == compact(stored)
    assert client.call("retrieve_thread", stored["id"]).text == answer.text
    assert client.call("modify_thread", stored["id"], body={}).text == answer.text
    assert client.call("list_threads").text == compact(expected.page([stored]))


def test_the_first_messages_of_a_thread_stand_in_their_order(client: Client, clock: Clock) -> None:
    created_at = int(time.time())
    messages = [
        {"role": "user", "content": "a", "metadata": {"k": "v"}},
        {"role": "assistant", "content": [{"type": "text", "text": "b"}], "attachments": [{"file_id": "f"}]},
    ]

    thread_id = client.thread(messages=messages)

    attachments = [{"file_id": "f", "tools": []}]
    listed = client.page(thread_id, order="asc")
    first, second = (message["id"] for message in listed["data"])
    assert listed == expected.page(
        [
            expected.message(thread_id, first, created_at, [text("a")], metadata={"k": "v"}),
            expected.message(thread_id, second, created_at, [text("b")], role="assistant", attachments=attachments),
        ]
    )
    assert client.create("retrieve_message", thread_id, first) == listed["data"][0]
    assert client.message(thread_id)["id"] > second > first


REFUSED: list[tuple[Any, dict[str, Any]]] = [
    ({"more": 1}, unknown("more")),
    ({"messages": {}}, wrong_type("messages", "an array", "an object")),
    ({"messages": [5]}, wrong_type("messages[0]", "an object", "an integer")),
    ({"messages": [{}]}, missing("messages[0].role")),
    ({"messages": [{"role": "user"}]}, missing("messages[0].content")),
    (
        {"messages": [expected.ROLE_USER, {"role": "human", "content": "a"}]},
        unsupported("messages[1].role", "human", "'user' and 'assistant'"),
    ),
    ({"messages": [{**expected.ROLE_USER, "run_id": "r"}]}, unknown("messages[0].run_id")),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
        wrong_type("messages[0].content[0].text", "a string or an object", "an integer"),
    ),
    (
        {"messages": [{**expected.ROLE_USER, "metadata": {"a": 1}}]},
        wrong_type("messages[0].metadata.a", "a string", "an integer"),
    ),
    ({"messages": [expected.ROLE_USER] * 33}, too_many("messages", 32, 33)),
    ({"messages": [{"\ud800": 1}]}, expected.surrogate("messages[0]")),
    ({"metadata": 5}, wrong_type("metadata", "an object", "an integer")),
    ({"metadata": {"a": 5}}, wrong_type("metadata.a", "a string", "an integer")),
    ({"tool_resources": []}, wrong_type("tool_resources", "an object", "an array")),
    ({"tool_resources": "x"}, wrong_type("tool_resources", "an object", "a string")),
]


@pytest.mark.parametrize(("body", "error"), REFUSED, ids=range(len(REFUSED)))
def test_a_thread_that_the_contract_does_not_have_is_refused(anybody: Client, body: Any, error: object) -> None:
    created = refused(anybody, "create_thread", body=body)
    modified = refused(anybody, "modify_thread", NOWHERE, body=body)

    assert (created.status, created.body) == (400, error)
    assert (modified.status, modified.body) == (400, unknown("messages") if "messages" in body else error)


def test_modify_replaces_what_is_named_and_leaves_the_rest(client: Client) -> None:
    thread = client.create("create_thread", body={"metadata": {"a": "1"}, "tool_resources": _RESOURCES})
    steps: list[tuple[Any, dict[str, Any]]] = [
        ({"metadata": {"b": "2"}}, {"metadata": {"b": "2"}}),
        ({"tool_resources": {"x": [1, None]}}, {"tool_resources": {"x": [1, None]}}),
        ({}, {}),
        (None, {}),
        ({"metadata": None}, {"metadata": {}}),
        ({"metadata": {"c": "3"}, "tool_resources": None}, {"metadata": {"c": "3"}, "tool_resources": {}}),
        ({"tool_resources": {}, "metadata": {}}, {"metadata": {}}),
    ]

    for body, changes in steps:
        thread |= changes
        answer = client.call("modify_thread", thread["id"], body=body)
        assert (answer.status, answer.text) == (200, compact(thread))
        assert client.call("retrieve_thread", thread["id"]).text == answer.text


def test_a_deleted_thread_is_gone_from_every_list(client: Client) -> None:
    kept, deleted = client.thread(metadata={"user_id": "u"}), client.thread(metadata={"user_id": "u"})

    answer = client.call("delete_thread", deleted)

    assert (answer.status, answer.text) == (200, compact({"id": deleted, "object": "thread.deleted", "deleted": True}))
    for query in ({}, {"metadata[user_id]": "u"}):
        assert [thread["id"] for thread in client.create("list_threads", query=query)["data"]] == [kept]


@pytest.mark.parametrize("function", ["retrieve_thread", "modify_thread", "delete_thread"])
def test_a_thread_that_the_project_does_not_have_is_not_found(client: Client, function: str) -> None:
    stranger = Client()
    foreign, deleted = stranger.thread(), client.thread()
    client.create("delete_thread", deleted)

    for thread_id in (NOWHERE, foreign, deleted, "thread_imported-1"):
        for body in (None, {"metadata": {"a": "b"}}):
            answer = client.call(function, thread_id, body=body)
            assert (answer.status, answer.body) == (404, no_thread(thread_id))
    assert stranger.create("retrieve_thread", foreign)["metadata"] == {}
