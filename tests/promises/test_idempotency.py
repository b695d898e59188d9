"""A create happens once for its Idempotency-Key, however often it is sent; without one nothing is ever merged."""

import json
from typing import Any

import pytest

from tests.support import processes
from tests.support.client import Answer, Client
from tests.support.clock import Clock

KEY = {"idempotency-key": "my secret key"}
BODY = {"role": "user", "content": "hello", "metadata": {"a": "b"}}
REUSED = (409, None, "idempotency_key_reused")
DAY = 86_400


def create(client: Client, thread_id: str, body: Any = BODY, headers: dict[str, str] | None = None) -> Answer:
    return client.call("create_message", thread_id, body=body, headers=KEY if headers is None else headers)


def count(client: Client, thread_id: str) -> int:
    return len(client.page(thread_id, limit=100)["data"])


def replayed(answer: Answer) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


def test_a_create_sent_fifty_times_at_once_from_five_processes_happens_once(client: Client) -> None:
    thread_id = client.thread()
    request = (client.secret, "create_message", (thread_id,), {"body": BODY, "headers": KEY})
    sent = processes.together([0.0, 5.0, -5.0, 1.0, 0.0], processes.send, *request, 10)
    assert [answer.status for answer in sent] == [200] * 50
    assert len({answer.text for answer in sent}) == 1
    assert sum(answer.replayed for answer in sent) == 49
    assert client.page(thread_id)["data"] == [json.loads(sent[0].text)]


def test_a_thread_sent_twenty_times_at_once_from_two_processes_is_created_once(client: Client) -> None:
    body = {"metadata": {"user_id": "u"}, "messages": [BODY]}
    request = (client.secret, "create_thread", (), {"body": body, "headers": KEY})
    sent = processes.together([0.0, 3.0], processes.send, *request, 10)
    assert [answer.status for answer in sent] == [200] * 20
    assert len({answer.text for answer in sent}) == 1
    assert sum(answer.replayed for answer in sent) == 19
    thread = json.loads(sent[0].text)
    assert client.create("list_threads")["data"] == [thread]
    assert count(client, thread["id"]) == 1


def test_a_repeat_gets_the_first_answer_also_after_the_message_was_modified_and_deleted(client: Client) -> None:
    thread_id = client.thread()
    first = create(client, thread_id)
    assert not replayed(first)
    client.create("modify_message", thread_id, first.body["id"], body={"metadata": {"a": "c"}})
    after_modify = create(client, thread_id)
    client.create("delete_message", thread_id, first.body["id"])
    after_delete = create(client, thread_id)
    assert first.text == after_modify.text == after_delete.text
    assert replayed(after_modify)
    assert replayed(after_delete)
    assert count(client, thread_id) == 0


def test_a_repeat_after_later_messages_still_gets_the_first_answer(client: Client) -> None:
    thread_id = client.thread()
    first = create(client, thread_id)
    for _ in range(20):
        client.message(thread_id)
    assert create(client, thread_id).text == first.text
    assert count(client, thread_id) == 21


def test_equal_json_is_the_same_body_however_it_is_written(client: Client) -> None:
    thread_id = client.thread()
    first = create(client, thread_id)
    is_backward = json.dumps(dict(reversed(BODY.items())), indent=3)
    assert create(client, thread_id, body=is_backward).text == first.text


def test_another_body_with_the_same_key_is_refused_and_writes_nothing(client: Client) -> None:
    thread_id = client.thread()
    create(client, thread_id)
    answer = create(client, thread_id, body=BODY | {"content": "other"})
    assert answer.error == REUSED
    assert answer.headers["x-should-retry"] == "false"
    assert count(client, thread_id) == 1


def test_another_body_for_a_thread_with_the_same_key_is_refused(client: Client) -> None:
    first = client.call("create_thread", body={"metadata": {"a": "b"}}, headers=KEY)
    again = client.call("create_thread", body={"metadata": {"a": "b"}}, headers=KEY)
    assert (again.text, replayed(again)) == (first.text, True)
    assert client.call("create_thread", body={}, headers=KEY).error == REUSED
    assert client.create("list_threads")["data"] == [first.body]


def test_the_first_answer_of_a_thread_comes_again_after_it_was_modified_and_deleted(client: Client) -> None:
    first = client.call("create_thread", body={"metadata": {"a": "b"}}, headers=KEY)
    client.create("modify_thread", first.body["id"], body={"metadata": {}})
    assert client.call("create_thread", body={"metadata": {"a": "b"}}, headers=KEY).text == first.text
    client.create("delete_thread", first.body["id"])
    assert client.call("create_thread", body={"metadata": {"a": "b"}}, headers=KEY).text == first.text


def test_a_key_is_known_only_in_its_thread_and_project(client: Client) -> None:
    other = Client()
    places = [(client, client.thread()), (client, client.thread()), (other, other.thread())]
    answers = [create(*place) for place in places]
    assert not any(map(replayed, answers))
    assert len({answer.body["id"] for answer in answers}) == 3
    threads = [who.call("create_thread", headers=KEY) for who in (client, other)]
    assert not any(map(replayed, threads))
    assert threads[0].body["id"] != threads[1].body["id"]


def test_a_key_is_stored_only_as_a_hash(client: Client) -> None:
    from shared.store import keys, table

    thread_id = client.thread()
    create(client, thread_id)
    client.call("create_thread", headers=KEY)
    partitions = [keys.thread_partition(client.project, thread_id), keys.once_partition(client.project)]
    stored = [list(table.query(partition, "!", "~")) for partition in partitions]
    assert all(stored)
    assert KEY["idempotency-key"] not in repr(stored)


@pytest.mark.parametrize("function", ["create_message", "create_thread"])
def test_a_key_is_forgotten_after_twenty_four_hours(
    client: Client, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    """DynamoDB Local has not removed the expired marker by then, as DynamoDB would not have for days."""
    clock = Clock(monkeypatch)
    ids = (client.thread(),) if function == "create_message" else ()

    def send(body: dict[str, Any]) -> Answer:
        return client.call(function, *ids, body=body, headers=KEY)

    body: dict[str, Any] = BODY if ids else {"metadata": {"a": "b"}}
    first = send(body)
    clock.forward(DAY - 1)
    assert send(body).text == first.text
    clock.forward(2)
    second = send(body | {"metadata": {"a": "other"}})
    assert (second.status, replayed(second)) == (200, False)
    assert second.body["id"] != first.body["id"]
    assert replayed(send(body | {"metadata": {"a": "other"}}))


def test_without_a_key_nothing_is_merged(client: Client) -> None:
    thread_id = client.thread()
    retry = {"x-stainless-retry-count": "1"}
    answers = [create(client, thread_id, headers=headers) for headers in ({}, {}, retry, retry)]
    assert len({answer.body["id"] for answer in answers}) == 4
    assert not any(map(replayed, answers))
    assert count(client, thread_id) == 4
    threads = [client.call("create_thread", headers=retry).body["id"] for _ in range(2)]
    assert threads[0] != threads[1]
