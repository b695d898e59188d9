"""Idempotency-Key on create message and create thread: the create happens once, however often it is sent."""

import json
from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.client import Answer, Client
from tests.support.clock import Clock
from tests.support.expected import compact

_BODY = {"role": "user", "content": "hello", "metadata": {"a": "1", "b": "2"}}
_DAY = 86_400


def _create(client: Client, thread_id: str, body: Any = _BODY, key: str = "key 1") -> Answer:
    return client.call("create_message", thread_id, body=body, headers={"idempotency-key": key})


def _create_thread(client: Client, body: Any = None, key: str = "key 1") -> Answer:
    return client.call("create_thread", body=body, headers={"idempotency-key": key})


def _is_replay(answer: Answer, first: Answer) -> bool:
    """Return whether a response repeats the first one byte for byte, and is marked as a replay."""
    assert (answer.status, answer.text) == (200, first.text)
    assert "idempotent-replayed" not in first.headers
    return answer.headers["idempotent-replayed"] == "true"


def test_the_first_answer_comes_again_and_nothing_is_written_twice(client: Client) -> None:
    thread_id = client.thread()

    first, *repeats = (_create(client, thread_id) for _ in range(3))

    assert all(_is_replay(repeat, first) for repeat in repeats)
    assert client.call("list_messages", thread_id).text == compact(expected.page([first.body]))


@pytest.mark.parametrize(
    "body",
    [
        '{"metadata":{"b":"2","a":"1"},"content":"hello","role":"user"}',
        ' { "role" : "user",\n"content":"h\\u0065llo", "metadata": {"a":"1","b":"2"} } ',
        b'{"role":"user","role":"user","content":"hello","metadata":{"a":"1","b":"2"}}',
    ],
)
def test_an_equal_body_may_be_written_otherwise(client: Client, body: Any) -> None:
    thread_id = client.thread()
    first = _create(client, thread_id)

    assert _is_replay(_create(client, thread_id, body), first)


@pytest.mark.parametrize(
    "body", [{**_BODY, "content": "hello "}, {**_BODY, "metadata": None}, {"role": "user", "content": "hello"}]
)
def test_another_body_is_refused(client: Client, body: Any) -> None:
    thread_id = client.thread()
    first = _create(client, thread_id)

    answer = _create(client, thread_id, body)

    assert (answer.status, answer.body) == (409, expected.KEY_REUSED)
    assert answer.headers["x-should-retry"] == "false"
    assert client.page(thread_id)["data"] == [first.body]


def test_the_first_answer_comes_also_when_the_message_was_changed_or_deleted(client: Client) -> None:
    thread_id = client.thread()
    first = _create(client, thread_id)

    client.create("modify_message", thread_id, first.body["id"], body={"content": "edited", "metadata": {"c": "3"}})
    assert _is_replay(_create(client, thread_id), first)
    client.create("delete_message", thread_id, first.body["id"])
    assert _is_replay(_create(client, thread_id), first)
    assert client.page(thread_id)["data"] == []


def test_a_key_is_remembered_for_24_hours(client: Client, clock: Clock) -> None:
    thread_id = client.thread()
    first = _create(client, thread_id)

    clock.forward(_DAY - 1)
    assert _is_replay(_create(client, thread_id), first)
    clock.forward(1)
    second = _create(client, thread_id)
    assert (second.status, second.headers.get("idempotent-replayed")) == (200, None)
    clock.forward(_DAY - 1)
    assert _is_replay(_create(client, thread_id), second)
    assert client.page(thread_id)["data"] == [second.body, first.body]


def test_a_key_belongs_to_its_thread(client: Client) -> None:
    threads = [client.thread(), client.thread()]
    other = Client()

    answers = [_create(client, thread_id) for thread_id in threads] + [_create(other, other.thread())]

    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None] * 3
    assert len({answer.body["id"] for answer in answers}) == 3


def test_a_key_of_a_thread_creation_belongs_to_its_project(client: Client) -> None:
    first = _create_thread(client, {"metadata": {"user_id": "u"}, "messages": [expected.ROLE_USER]})
    again = _create_thread(client, {"messages": [expected.ROLE_USER], "metadata": {"user_id": "u"}})
    reused = _create_thread(client, {"metadata": {"user_id": "v"}})
    elsewhere = _create_thread(Client(), {"metadata": {"user_id": "u"}})

    assert _is_replay(again, first)
    assert (reused.status, reused.body) == (409, expected.KEY_REUSED)
    assert (elsewhere.status, elsewhere.headers.get("idempotent-replayed")) == (200, None)
    assert client.create("list_threads")["data"] == [first.body]
    assert len(client.page(first.body["id"])["data"]) == 1


def test_the_answer_of_a_thread_creation_comes_again_after_a_change_and_for_a_day(client: Client, clock: Clock) -> None:
    first = _create_thread(client, {"metadata": {"a": "b"}})
    client.create("modify_thread", first.body["id"], body={"metadata": None})

    assert _is_replay(_create_thread(client, {"metadata": {"a": "b"}}), first)
    client.create("delete_thread", first.body["id"])
    assert _is_replay(_create_thread(client, {"metadata": {"a": "b"}}), first)
    clock.forward(_DAY)
    assert _create_thread(client, {"metadata": {"a": "b"}}).body["id"] != first.body["id"]


def test_an_empty_body_and_no_body_are_equal(client: Client) -> None:
    first = _create_thread(client)

    assert _is_replay(_create_thread(client, "{}"), first)


def test_a_deleted_thread_is_not_found_by_a_repeat_either(client: Client) -> None:
    thread_id = client.thread()
    _create(client, thread_id)
    client.create("delete_thread", thread_id)

    answer = _create(client, thread_id)

    assert (answer.status, answer.body) == (404, expected.no_thread(thread_id))


def test_without_a_key_nothing_is_merged(client: Client) -> None:
    thread_id = client.thread()
    for count in ("0", "1", "2"):
        client.create("create_message", thread_id, body=_BODY, headers={"x-stainless-retry-count": count})

    assert len(client.page(thread_id)["data"]) == 3
    retried = [client.create("create_thread", headers={"x-stainless-retry-count": "1"})["id"] for _ in range(2)]
    assert retried[0] != retried[1]


def test_a_refused_create_does_not_use_its_key_up(client: Client) -> None:
    thread_id = client.thread()

    assert _create(client, thread_id, {**_BODY, "more": 1}).status == 400
    assert "idempotent-replayed" not in _create(client, thread_id).headers


def test_of_a_key_only_its_hash_is_stored(client: Client) -> None:
    thread_id = client.thread()
    with fault_injection.inject() as attempts:
        _create(client, thread_id, key="the key itself")
        _create_thread(client, key="the key itself")

    assert "the key itself" not in json.dumps(attempts.log)
