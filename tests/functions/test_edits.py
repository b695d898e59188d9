"""Editing: modify message with `content`, an extension of ours."""

from typing import Any

import pytest

from tests.promises.threads import incompressible
from tests.support import expected, fault_injection, stored
from tests.support.client import Client
from tests.support.expected import no_message, text
from tests.support.fault_injection import Fault

SMALL, LARGE, OTHER = "short", incompressible(seed=1), incompressible(seed=2)
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def _edit(client: Client, thread_id: str, message_id: str, content: Any, **fields: Any) -> dict[str, Any]:
    return client.create("modify_message", thread_id, message_id, body={"content": content, **fields})


@pytest.mark.parametrize("before", [SMALL, LARGE])
@pytest.mark.parametrize("after", ["shorter", OTHER])
def test_an_edited_message_is_answered_and_read_with_its_new_content(client: Client, before: str, after: str) -> None:
    thread_id = client.thread()
    attachments = [{"file_id": "f", "tools": [{"type": "file_search"}]}]
    message = client.message(thread_id, before, metadata={"a": "b"}, attachments=attachments)

    edited = _edit(client, thread_id, message["id"], after)

    assert edited == message | {"content": [text(after)]}
    assert client.create("retrieve_message", thread_id, message["id"]) == edited
    assert client.page(thread_id) == expected.page([edited])


def test_an_edit_takes_parts_and_metadata(client: Client) -> None:
    thread_id = client.thread()
    message = client.message(thread_id, metadata={"a": "b"})

    edited = _edit(client, thread_id, message["id"], [{"type": "text", "text": "see"}, IMAGE], metadata={"c": "d"})

    stored_image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "auto"}}
    assert edited == message | {"content": [text("see"), stored_image], "metadata": {"c": "d"}}
    assert _edit(client, thread_id, message["id"], "b", metadata=None) == message | {
        "content": [text("b")],
        "metadata": {},
    }


def test_each_edit_writes_parts_that_were_never_written_before(client: Client) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id, LARGE)["id"]
    for content in (OTHER, SMALL, LARGE):
        _edit(client, thread_id, message_id, content)

    names = stored.sort_keys(f"{client.project}#{thread_id}", "part#")
    # The function that reads the stream removes the old parts, and none of the last content.
    assert sorted({name.split("#")[2] for name in names}) == ["00000001", "00000002", "00000004"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", (400, "content", None)),
        ([], (400, "content", None)),
        (7, (400, "content", "invalid_type")),
        ("x" * 256_001, (400, "content", "string_above_max_length")),
        ([{"type": "refusal", "refusal": "no"}], (400, "content[0].type", "invalid_value")),
        (
            [{"type": "text", "text": {"value": "a", "annotations": [{}]}}],
            (400, "content[0].text.annotations", "unknown_parameter"),
        ),
        ("\ud800", (400, "content", "invalid_value")),
    ],
)
def test_an_edit_that_is_no_content_leaves_no_trace(client: Client, content: Any, error: tuple[Any, ...]) -> None:
    thread_id = client.thread()
    message = client.message(thread_id)

    for body in ({"content": content}, {"content": content, "metadata": {"a": "b"}}):
        assert client.call("modify_message", thread_id, message["id"], body=body).error == error
    assert client.page(thread_id) == expected.page([message])


def test_a_trusted_key_edits_in_what_a_run_produces(trusted: Client) -> None:
    thread_id = trusted.thread()
    message = trusted.message(thread_id, role="assistant", run_id="r")
    cited = {"type": "file_path", "text": "a", "start_index": 0, "end_index": 1, "file_path": {"file_id": "f"}}
    content = [
        {"type": "text", "text": {"value": "a", "annotations": [cited]}},
        {"type": "refusal", "refusal": "no"},
    ]

    edited = _edit(trusted, thread_id, message["id"], content)

    assert edited == message | {"content": content}
    assert trusted.page(thread_id, run_id="r") == expected.page([edited])
    assert trusted.create("modify_message", thread_id, message["id"], body={"metadata": {"a": "b"}}) == edited | {
        "metadata": {"a": "b"}
    }
    empty = trusted.call("modify_message", thread_id, message["id"], body={"content": ""})
    assert empty.error == (400, "content", None)


def test_a_content_that_does_not_fit_beside_its_attachments_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import items

    thread_id = client.thread()
    message = client.message(thread_id, attachments=[{"file_id": "x" * 100}])
    monkeypatch.setattr(items, "_ANSWER_BYTES", 200)

    answer = client.call("modify_message", thread_id, message["id"], body={"content": "y" * 50})

    assert (answer.status, answer.body) == (413, expected.TOO_LARGE)


@pytest.mark.parametrize(("content", "operation"), [("edited", "UpdateItem"), (LARGE, "TransactWriteItems")])
def test_an_edit_is_made_of_the_message_as_it_is_then(client: Client, content: str, operation: str) -> None:
    thread_id = client.thread()
    message = client.message(thread_id)
    other = fault_injection.before(
        lambda: client.create("modify_message", thread_id, message["id"], body={"metadata": {"a": "b"}})
    )

    with fault_injection.inject(Fault(operation, other)) as attempts:
        edited = _edit(client, thread_id, message["id"], content)

    # The operations include the other modify's own UpdateItem.
    assert attempts.operations.count("BatchGetItem") == 2
    assert edited == message | {"content": [text(content)], "metadata": {"a": "b"}}
    assert client.page(thread_id) == expected.page([edited])


@pytest.mark.parametrize(("content", "operation"), [("edited", "UpdateItem"), (LARGE, "TransactWriteItems")])
def test_an_edit_does_not_bring_back_what_was_deleted(client: Client, content: str, operation: str) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    delete = fault_injection.before(lambda: client.create("delete_message", thread_id, message_id))

    with fault_injection.inject(Fault(operation, delete)):
        answer = client.call("modify_message", thread_id, message_id, body={"content": content})

    assert (answer.status, answer.body) == (404, no_message(message_id))
    partition = f"{client.project}#{thread_id}"
    assert stored.sort_keys(partition, "msg_") + stored.sort_keys(partition, "part#") == []
