"""The schemas in schemas/ match the events that are really published and the commands that are really accepted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import event_sources as queues
from tests.support import schemas, stored, stream
from tests.support.client import Client
from tests.support.local_api import ROOT

SAMPLES = ("ingest_message", "publish_events")
PARTS = [
    {"type": "text", "text": "What is on these?"},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    {"type": "image_url", "image_url": {"url": "https://example.com/b.png", "detail": "low"}},
    {"type": "image_file", "image_file": {"file_id": "file-1"}},
]
ATTACHMENTS: list[dict[str, Any]] = [
    {"file_id": "file-1", "tools": [{"type": "code_interpreter"}, {"type": "file_search"}]},
    {"tools": []},
    {"file_id": None, "tools": None},
    {},
]
NOTES: list[dict[str, Any]] = [
    {
        "type": "file_citation",
        "text": "[1]",
        "start_index": 0,
        "end_index": 3,
        "file_citation": {"file_id": "file-1"},
    },
    {"type": "file_path", "text": "x", "start_index": 0, "end_index": 1, "file_path": {"file_id": "file-1"}},
]
STORED = [
    {"type": "text", "text": {"value": "a", "annotations": []}},
    {"type": "text", "text": {"value": "b", "annotations": None}},
    {"type": "text", "text": {"value": "c"}},
    {"type": "image_url", "image_url": {"url": "https://example.com/a b.png", "detail": None}},
    {"type": "image_file", "image_file": {"file_id": "file-1", "detail": None}},
]
UNQUOTED = {**NOTES[0], "file_citation": {"file_id": "file-1", "quote": None}}
ANNOTATED = {"type": "text", "text": {"value": "[1]x", "annotations": NOTES}}
INCOMPLETE = {"status": "incomplete", "incomplete_details": {"reason": "max_tokens"}}
MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "hello"},
    {"role": "user", "content": PARTS, "attachments": ATTACHMENTS, "metadata": {"a": "1", "b": ""}},
    {"role": "user", "content": "hello", "attachments": None, "metadata": None},
    {"role": "user", "content": STORED},
    {"role": "assistant", "content": "hello"},
    {"role": "assistant", "content": [*STORED, {"type": "text", "text": {"value": "[1]", "annotations": [UNQUOTED]}}]},
    {"role": "assistant", "content": [ANNOTATED, {"type": "refusal", "refusal": "no"}], **INCOMPLETE},
    {"role": "assistant", "content": PARTS, "assistant_id": "asst_1", "run_id": "run_1", "status": "completed"},
    {
        "role": "assistant",
        "content": "x",
        "assistant_id": None,
        "run_id": None,
        "status": None,
        "incomplete_details": None,
    },
]
# Changes to a valid command, of an assistant or a user. After each change the command is rejected.
WRONG: list[dict[str, Any]] = [
    {"command_id": ...},
    {"command_id": ""},
    {"command_id": "x" * 256},
    {"command_id": 1},
    {"project": "key"},
    {"project": ...},
    {"project": "A"},
    {"thread_id": "msg_1"},
    {"role": "system"},
    {"role": ...},
    {"content": ...},
    {"content": ""},
    {"content": []},
    {"content": "x" * 256_001},
    {"content": [{"type": "text"}]},
    {"content": [{"type": "audio"}]},
    {"content": [{"type": "image_url", "image_url": {"url": "https://example.com", "detail": "huge"}}]},
    {"content": [{"type": "text", "text": "x"}] * 65},
    {"content": [{"type": "text", "text": {}}]},
    {"content": [{"type": "text", "text": None}]},
    *({"content": [{"type": "image_url", "image_url": {"url": url}}]} for url in ("", " ", " x", "x ", "data:,")),
    {"content": [{"type": "image_url", "image_url": {"url": "x" * 8193}}]},
    {"content": [{"type": "image_file", "image_file": {"file_id": ""}}]},
    {"attachments": [{"file_id": ""}]},
    {"metadata": {"a": 1}},
    {"metadata": {"": "a"}},
    {"metadata": {str(number): "" for number in range(17)}},
    {"attachments": [{"file_id": "x" * 129}]},
    {"unknown": 1},
    {"role": "user", "run_id": "run_1"},
    {"role": "user", "content": [ANNOTATED]},
    {"role": "assistant", "run_id": "a#b"},
    {"role": "assistant", "status": "incomplete"},
    {"role": "assistant", "incomplete_details": {"reason": "max_tokens"}},
]


def run(command: dict[str, Any]) -> bool:
    """Return whether a command is carried out."""
    from shared import commands
    from shared.errors import WireError

    try:
        commands.create_message(json.loads(json.dumps(command)))
    except WireError:
        return False
    return True


def told(*steps: Callable[[], object]) -> list[dict[str, Any]]:
    """Return the events of the changes of each step."""
    from shared import events

    found = []
    for step in steps:
        with stream.changes() as records:
            step()
        found += [schemas.event(*event) for record in records for event in events.of_record(record)]
    return found


@pytest.mark.parametrize("body", MESSAGES)
def test_all_that_is_told_of_a_message_is_as_the_schema_says(client: Client, body: dict[str, Any]) -> None:
    from shared import commands

    thread_id = client.thread()
    created = told(lambda: commands.create_message(queues.command(client, thread_id) | body))
    message_id = client.page(thread_id)["data"][0]["id"]
    later = told(
        lambda: client.create("modify_message", thread_id, message_id, body={"metadata": {"a": "b"}}),
        lambda: client.create("delete_message", thread_id, message_id),
    )

    names = ["created", "updated", "deleted"]
    assert [event["detail-type"] for event in created + later] == [f"thread.message.{name}" for name in names]


def test_all_that_is_told_of_a_thread_is_as_the_schema_says(client: Client) -> None:
    resources = {"file_search": {"vector_store_ids": ["vs_1"]}}
    created = told(lambda: client.thread(metadata={"a": "1"}, tool_resources=resources))
    thread_id = created[0]["detail"]["id"]
    later = told(
        lambda: client.create("modify_thread", thread_id, body={"metadata": None}),
        lambda: client.create("delete_thread", thread_id),
    )

    assert [event["detail-type"] for event in created + later] == ["thread.created", "thread.updated", "thread.deleted"]


def test_what_a_replay_or_a_large_message_tells_is_as_the_schema_says(client: Client) -> None:
    from shared import events

    thread_id = client.thread()
    message_id = client.message(thread_id, "\N{GRINNING FACE}" * 256_000)["id"]
    client.create("modify_message", thread_id, message_id, body={"metadata": {"a": "1"}})

    item = stored.item(f"{client.project}#{thread_id}", message_id)
    detail = schemas.event(*events.of_message(item))["detail"]

    assert (detail["content_omitted"], detail["previous_metadata"]) == (True, None)


@pytest.mark.parametrize(
    "change",
    [
        {"detail-type": "thread.message.read"},
        {"source": "somebody"},
        {"detail-type": "thread.created"},
        {"detail": {"version": 0}},
        {"detail": {"version": None}},
        {"detail": {"content_omitted": None}},
        {"detail": {"more": 1}},
        {"detail": {"previous_metadata": {}}},
        {"detail": {"role": "system"}},
    ],
)
def test_the_schema_of_events_refuses_what_is_never_told(client: Client, change: dict[str, Any]) -> None:
    thread_id = client.thread()
    (event,) = told(lambda: client.message(thread_id))

    changed = event | change | {"detail": event["detail"] | change.get("detail", {})}

    assert not schemas.validator("event").is_valid(changed)


def test_the_sample_events_are_as_the_schemas_say(client: Client) -> None:
    from shared import events

    sample = {name: json.loads((ROOT / f"events/{name}.json").read_text())["Records"] for name in SAMPLES}

    assert schemas.validator("command").is_valid(json.loads(sample["ingest_message"][0]["body"]))
    (told,) = events.of_record(sample["publish_events"][0])
    assert schemas.event(*told)["detail-type"] == "thread.message.created"


@pytest.mark.parametrize("body", MESSAGES)
def test_what_the_schema_of_commands_allows_is_carried_out(client: Client, body: dict[str, Any]) -> None:
    command = queues.command(client, client.thread()) | body

    assert (schemas.validator("command").is_valid(command), run(command)) == (True, True)


@pytest.mark.parametrize("change", WRONG, ids=range(len(WRONG)))
def test_what_the_schema_of_commands_refuses_is_rejected(client: Client, change: dict[str, Any]) -> None:
    whole = queues.command(client, client.thread()) | change
    command = {name: value for name, value in whole.items() if value is not ...}

    assert (schemas.validator("command").is_valid(command), run(command)) == (False, False)
