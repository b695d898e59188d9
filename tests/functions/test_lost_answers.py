"""If the response to a call is lost, botocore sends the call again. The call must have its effect only once."""

from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.expected import text
from tests.support.fault_injection import Fault

_LARGE = [{"role": "user", "content": content} for content in ("a", "b")]
_REMEMBERED_BY_ITS_TOKEN = [
    Fault("TransactWriteItems", fault_injection.lost),
    Fault("TransactWriteItems", fault_injection.answered({}), at=2),
]


@pytest.fixture(autouse=True)
def _no_pauses(clock: Clock) -> None:
    """Let pauses take no time."""


def test_a_lost_answer_is_known_by_the_head_when_others_came_after(client: Client) -> None:
    """This holds even if the message itself is deleted in the meantime."""
    thread_id = client.thread()
    made: list[Any] = []

    def go_on() -> None:
        (first,) = client.page(thread_id)["data"]
        made.extend([first, client.message(thread_id, "later")])
        client.create("delete_message", thread_id, first["id"])

    with fault_injection.inject(
        Fault("TransactWriteItems", fault_injection.lost),
        Fault("TransactWriteItems", fault_injection.before(go_on), at=2),
    ):
        answer = client.call("create_message", thread_id, body=expected.ROLE_USER)

    assert (answer.status, answer.body) == (200, made[0])
    assert client.page(thread_id)["data"] == [made[1]]


def test_a_lost_answer_of_delete_message_is_a_success(client: Client) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]

    with fault_injection.inject(Fault("DeleteItem", fault_injection.lost)) as attempts:
        answer = client.call("delete_message", thread_id, message_id)

    assert attempts.operations.count("DeleteItem") == 2
    assert (answer.status, answer.body["deleted"]) == (200, True)
    assert client.page(thread_id) == expected.page([])


def test_a_lost_answer_of_deleting_a_message_of_a_run_is_a_success(trusted: Client) -> None:
    """Only the ClientRequestToken ensures this. DynamoDB responds to a second call with it as to the first."""
    thread_id = trusted.thread()
    message_id = trusted.message(thread_id, role="assistant", run_id="run_1")["id"]

    with fault_injection.inject(*_REMEMBERED_BY_ITS_TOKEN) as attempts:
        answer = trusted.call("delete_message", thread_id, message_id)

    first, second = (request["ClientRequestToken"] for name, request in attempts.log if name == "TransactWriteItems")
    assert first == second
    assert (answer.status, answer.body["deleted"]) == (200, True)
    assert trusted.page(thread_id) == trusted.page(thread_id, run_id="run_1") == expected.page([])


def test_a_lost_answer_of_delete_thread_is_a_success(client: Client) -> None:
    thread_id = client.thread()

    with fault_injection.inject(Fault("UpdateItem", fault_injection.lost)) as attempts:
        answer = client.call("delete_thread", thread_id)

    assert attempts.operations == ["UpdateItem"] * 2
    assert (answer.status, answer.body["deleted"]) == (200, True)
    assert client.call("delete_thread", thread_id).body == expected.no_thread(thread_id)


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k"}])
def test_a_lost_answer_of_create_thread_makes_one_thread(client: Client, headers: dict[str, str]) -> None:
    body = {"messages": [expected.ROLE_USER], "metadata": {"user_id": "u"}}

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.lost)) as attempts:
        answer = client.call("create_thread", body=body, headers=headers)

    assert attempts.operations.count("TransactWriteItems") == 2
    assert (answer.status, "idempotent-replayed" in answer.headers) == (200, False)
    assert client.create("list_threads") == expected.page([answer.body])
    assert len(client.page(answer.body["id"])["data"]) == 1


@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems"])
def test_a_lost_answer_of_a_modify_is_a_success(client: Client, operation: str) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    function, ids = {
        "UpdateItem": ("modify_message", [thread_id, message_id]),
        "TransactWriteItems": ("modify_thread", [thread_id]),
    }[operation]

    with fault_injection.inject(Fault(operation, fault_injection.lost)):
        answer = client.call(function, *ids, body={"metadata": {"a": "b"}})

    assert (answer.status, answer.body["metadata"]) == (200, {"a": "b"})


def test_a_lost_answer_in_the_first_step_of_a_staged_create_makes_one_thread(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the ClientRequestToken ensures this, as above."""
    from shared.store import threads

    monkeypatch.setattr(threads, "_WRITES_IN_ONE", 1)

    with fault_injection.inject(*_REMEMBERED_BY_ITS_TOKEN) as attempts:
        answer = client.call("create_thread", body={"messages": _LARGE})

    first, second, _ = (request["ClientRequestToken"] for name, request in attempts.log if name == "TransactWriteItems")
    assert first == second
    assert client.create("list_threads") == expected.page([answer.body])
    assert len(client.page(answer.body["id"])["data"]) == 2


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k"}])
@pytest.mark.parametrize(("operation", "at"), [("BatchWriteItem", 1), ("TransactWriteItems", 2)])
def test_a_lost_answer_in_a_staged_create_makes_one_thread(
    client: Client, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], operation: str, at: int
) -> None:
    from shared.store import threads

    monkeypatch.setattr(threads, "_WRITES_IN_ONE", 1)

    with fault_injection.inject(Fault(operation, fault_injection.lost, at=at)):
        answer = client.call("create_thread", body={"messages": _LARGE}, headers=headers)

    assert (answer.status, "idempotent-replayed" in answer.headers) == (200, False)
    assert client.create("list_threads") == expected.page([answer.body])
    listed = client.page(answer.body["id"], order="asc")["data"]
    assert [message["content"] for message in listed] == [[text("a")], [text("b")]]
