"""What a trusted key may write besides: a run's message, its end, annotations, refusals; and lists of a run."""

from typing import Any

import pytest

from tests.support.client import Client

CITATION = {
    "type": "file_citation",
    "text": "【4†notes】",
    "start_index": 6,
    "end_index": 15,
    "file_citation": {"file_id": "file_1"},
}
PATH = {
    "type": "file_path",
    "text": "sandbox:/plot.png",
    "start_index": 0,
    "end_index": 17,
    "file_path": {"file_id": "file_2"},
}
EXTENDED: dict[str, Any] = {
    "role": "assistant",
    "content": [
        {"type": "text", "text": {"value": "hello 【4†notes】", "annotations": [CITATION, PATH]}},
        {"type": "text", "text": "plain"},
        {"type": "refusal", "refusal": "I cannot help with that."},
    ],
    "assistant_id": "asst_1",
    "run_id": "run_1",
    "status": "incomplete",
    "incomplete_details": {"reason": "max_tokens"},
    "metadata": {"a": "b"},
}


def test_a_run_s_message_comes_back_as_it_was_written(trusted: Client) -> None:
    thread_id = trusted.thread()
    created = trusted.create("create_message", thread_id, body=EXTENDED)
    assert created == {
        "id": created["id"],
        "object": "thread.message",
        "created_at": created["created_at"],
        "assistant_id": "asst_1",
        "thread_id": thread_id,
        "run_id": "run_1",
        "role": "assistant",
        "content": [
            EXTENDED["content"][0],
            {"type": "text", "text": {"value": "plain", "annotations": []}},
            {"type": "refusal", "refusal": "I cannot help with that."},
        ],
        "attachments": [],
        "metadata": {"a": "b"},
        "status": "incomplete",
        "incomplete_details": {"reason": "max_tokens"},
        "completed_at": None,
        "incomplete_at": created["created_at"],
    }
    assert trusted.create("retrieve_message", thread_id, created["id"]) == created
    assert trusted.page(thread_id)["data"] == trusted.page(thread_id, run_id="run_1")["data"] == [created]
    modified = trusted.create("modify_message", thread_id, created["id"], body={"metadata": None})
    assert modified == created | {"metadata": {}}


def test_a_run_s_messages_may_be_a_thread_s_first(trusted: Client) -> None:
    thread_id = trusted.thread(messages=[{"role": "user", "content": "question"}, EXTENDED])
    (answer,) = trusted.page(thread_id, run_id="run_1")["data"]
    assert answer["assistant_id"] == "asst_1"
    assert len(trusted.page(thread_id)["data"]) == 2


@pytest.mark.parametrize("field", ["assistant_id", "run_id", "status", "incomplete_details"])
def test_to_other_keys_and_other_roles_the_extensions_are_unknown(trusted: Client, field: str) -> None:
    other = Client(trusted.project)
    thread_id = other.thread()
    for client, role in ((other, "assistant"), (other, "user"), (trusted, "user")):
        body = {"role": role, "content": "hi", field: EXTENDED[field]}
        answer = client.call("create_message", thread_id, body=body)
        assert answer.error == (400, field, "unknown_parameter")
        answer = client.call("create_thread", body={"messages": [body]})
        assert answer.error == (400, f"messages[0].{field}", "unknown_parameter")


def test_to_other_keys_annotations_and_refusals_are_no_parts(trusted: Client) -> None:
    other = Client(trusted.project)
    thread_id = other.thread()
    annotated, _, refusal = EXTENDED["content"]
    bodies = [{"role": "assistant", "content": [part]} for part in (annotated, refusal)]
    errors = [other.call("create_message", thread_id, body=body).error for body in bodies]
    assert errors == [(400, "content[0].text", "invalid_type"), (400, "content[0].type", "invalid_value")]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_run_s_list_pages_like_the_others(trusted: Client, order: str, limit: int) -> None:
    thread_id = trusted.thread()
    everything: dict[str, list[str]] = {"run_1": [], "run_2": [], "run_1-2": []}
    for number in range(18):
        run = list(everything)[number % 3]
        body = {"role": "assistant", "content": str(number), "run_id": run}
        everything[run].append(trusted.create("create_message", thread_id, body=body)["id"])
        trusted.message(thread_id)
    expected = everything["run_1"] if order == "asc" else everything["run_1"][::-1]
    assert _followed(trusted, thread_id, "after", order=order, limit=limit, run_id="run_1") == expected
    assert _followed(trusted, thread_id, "before", order=order, limit=limit, run_id="run_1") == expected
    between = trusted.page(thread_id, order=order, run_id="run_1", after=expected[1], before=expected[4])
    assert [message["id"] for message in between["data"]] == expected[2:4]
    # A cursor is a position: another run's message is one too.
    after = trusted.page(thread_id, order="asc", run_id="run_1", after=everything["run_2"][2])
    assert [message["id"] for message in after["data"]] == everything["run_1"][3:]
    assert trusted.page(thread_id, run_id="run_3")["data"] == []


def test_a_deleted_message_leaves_its_run_s_list(trusted: Client) -> None:
    from shared.store import keys, table

    thread_id = trusted.thread()
    body = {"role": "assistant", "content": "hi", "run_id": "run_1"}
    first, second, third = (trusted.create("create_message", thread_id, body=body)["id"] for _ in range(3))
    trusted.create("delete_message", thread_id, second)
    assert [message["id"] for message in trusted.page(thread_id, run_id="run_1")["data"]] == [third, first]
    table.set_deadline(60)
    entries = table.query(keys.thread_partition(trusted.project, thread_id), "run#", "run#~")
    assert [entry["messageId"]["S"] for entry in entries] == [f"run#run_1#{first}", f"run#run_1#{third}"]


def _followed(client: Client, thread_id: str, cursor: str, **query: Any) -> list[str]:
    """Return all ids of a list: page by page after the last, or before the first from beyond its end."""
    found: list[str] = []
    if cursor == "before":
        query["before"] = "msg_0" + "0" * 25 if query["order"] == "desc" else "msg_7" + "Z" * 25
    while True:
        page = client.page(thread_id, **query)
        ids = [message["id"] for message in page["data"]]
        assert ids, "an empty page ends every reader's loop"
        assert (page["first_id"], page["last_id"]) == (ids[0], ids[-1])
        found = found + ids if cursor == "after" else ids + found
        if not page["has_more"]:
            return found
        query[cursor] = found[-1] if cursor == "after" else found[0]
