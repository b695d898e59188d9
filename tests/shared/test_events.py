"""Events of a replay. They are made from the current items, without the record of a change."""

import json

from tests.support import stored
from tests.support.client import Client


def test_what_was_never_changed_is_told_as_created(client: Client) -> None:
    from shared import events

    thread_id = client.thread()
    partition = f"{client.project}#{thread_id}"
    message_id = client.message(thread_id)["id"]

    told = [events.of_thread(stored.item(partition, "thread")), events.of_message(stored.item(partition, message_id))]

    assert [(kind, json.loads(detail)["event_id"]) for kind, detail in told] == [
        ("thread.created", f"{client.project}/{thread_id}/1"),
        ("thread.message.created", f"{client.project}/{thread_id}/{message_id}/1"),
    ]


def test_what_was_changed_is_told_as_updated_from_something_unknown(client: Client) -> None:
    from shared import events

    thread_id = client.thread()
    partition = f"{client.project}#{thread_id}"
    message_id = client.message(thread_id)["id"]
    client.create("modify_thread", thread_id, body={"metadata": {"a": "1"}})
    client.create("modify_message", thread_id, message_id, body={"metadata": {"b": "2"}})

    told = [events.of_thread(stored.item(partition, "thread")), events.of_message(stored.item(partition, message_id))]

    details = [json.loads(detail) for _, detail in told]
    assert [kind for kind, _ in told] == ["thread.updated", "thread.message.updated"]
    assert [(detail["event_id"], detail["metadata"], detail["previous_metadata"]) for detail in details] == [
        (f"{client.project}/{thread_id}/2", {"a": "1"}, None),
        (f"{client.project}/{thread_id}/{message_id}/2", {"b": "2"}, None),
    ]
