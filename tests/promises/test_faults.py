"""Whatever AWS answers in between, a create is all or nothing and happens once, and every answer is the truth."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.support import fault_injection
from tests.support.client import Answer, Client
from tests.support.clock import Clock
from tests.support.fault_injection import Attempt, Effect, Fault, Outcome

BUSY = (503, None, None)
# No request starts a call after 12 seconds, and a call ends within 8 and a pause.
LONGEST_SECONDS = 12 + 8 + 1


def throttled_in_part(attempt: Attempt) -> Outcome:
    return fault_injection.cancelled("None", "ThrottlingError")(attempt)


def lost_after(action: Callable[[], object]) -> Effect:
    """The engine does it, then something else happens, and the answer never arrives."""

    def effect(attempt: Attempt) -> Outcome:
        fault_injection.after(action)(attempt)
        return None, ReadTimeoutError(endpoint_url="an injected fault")

    return effect


PASSING: list[Effect] = [
    fault_injection.timeout,
    fault_injection.lost,
    fault_injection.throttle,
    fault_injection.server_error,
    fault_injection.reset,
]
CONFLICTING: list[Effect] = [fault_injection.conflict, throttled_in_part]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that pauses only put forward: botocore's, and the store's own."""
    return Clock(monkeypatch)


@pytest.fixture
def thread_id(client: Client, clock: Clock) -> str:
    thread_id = client.thread()
    client.message(thread_id, "first")
    clock.forward(1)  # within one millisecond a create may meet its predecessor, and be tried again for that
    return thread_id


def texts(client: Client, thread_id: str) -> list[str]:
    page = client.page(thread_id, order="asc", limit=100)
    return [message["content"][0]["text"]["value"] for message in page["data"]]


def items_of(client: Client, thread_id: str) -> list[Any]:
    """Return all that is stored of a thread."""
    from shared.store import keys, table

    table.set_deadline(60)
    return list(table.query(keys.thread_partition(client.project, thread_id), "!", "~"))


def create(client: Client, thread_id: str, **headers: str) -> Answer:
    return client.call("create_message", thread_id, body={"role": "user", "content": "second"}, headers=headers)


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "key"}])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("effect", [*PASSING, *CONFLICTING])
def test_a_create_that_meets_faults_happens_once_or_is_a_503_and_never_twice(
    client: Client, thread_id: str, effect: Effect, times: int, headers: dict[str, str]
) -> None:
    """A call is sent twice at most, by botocore; conflicts are tried again by the store."""
    with fault_injection.inject(Fault("TransactWriteItems", effect, times=times)) as attempts:
        answer = create(client, thread_id, **headers)
    if times == 1 or effect in CONFLICTING:
        assert answer.status == 200
        assert len(attempts.log) == times + 1
        assert client.page(thread_id)["data"][0] == answer.body
        assert texts(client, thread_id) == ["first", "second"]
    else:
        assert answer.error == BUSY
        assert answer.headers["retry-after"] == "1"
        # Lost is the one fault after which it was done although the client was told to send it again.
        assert texts(client, thread_id) == ["first", "second"][: 2 if effect is fault_injection.lost else 1]
        again = create(client, thread_id, **headers)
        assert again.status == 200
        doubled = effect is fault_injection.lost and not headers
        assert texts(client, thread_id) == ["first", "second", "second"][: 3 if doubled else 2]


def test_our_own_retry_after_a_lost_answer_carries_the_same_token(client: Client, thread_id: str) -> None:
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.lost)) as attempts:
        client.message(thread_id)
    first, second = [request["ClientRequestToken"] for _, request in attempts.log]
    assert first == second


@pytest.mark.parametrize(("others", "deleted"), [(0, False), (3, False), (3, True), (20, False)])
def test_a_lost_answer_is_found_also_when_others_have_written_since_and_the_token_is_forgotten(
    client: Client, thread_id: str, others: int, deleted: bool
) -> None:
    """DynamoDB remembers a token for ten minutes; after that the conditions tell whose message stands there."""

    def without_token(attempt: Attempt) -> Outcome:
        """What DynamoDB answers to the same transaction once the token is forgotten."""
        from shared.store import table

        again = {name: value for name, value in attempt.request.items() if name != "ClientRequestToken"}
        try:
            table.client().transact_write_items(**again)
        except ClientError as refused:
            reasons = refused.response["CancellationReasons"]
        return fault_injection.error("TransactionCanceledException", CancellationReasons=reasons)(attempt)

    def meanwhile() -> None:
        if deleted:
            client.create("delete_message", thread_id, client.page(thread_id)["data"][0]["id"])
        for number in range(others):
            client.message(thread_id, f"other {number}")

    with fault_injection.inject(
        Fault("TransactWriteItems", lost_after(meanwhile)), Fault("TransactWriteItems", without_token, at=2)
    ):
        answer = create(client, thread_id)
    assert answer.status == 200
    expected = ["first", "second", *(f"other {number}" for number in range(others))]
    assert texts(client, thread_id) == [text for text in expected if not (deleted and text == "second")]


@pytest.mark.parametrize(
    "effect",
    [fault_injection.conflict, fault_injection.throttle, fault_injection.timeout, fault_injection.server_error],
)
@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("create_message", "TransactWriteItems"),
        ("modify_message", "UpdateItem"),
        ("delete_message", "DeleteItem"),
        ("delete_thread", "UpdateItem"),
        ("modify_thread", "TransactWriteItems"),
        ("create_thread", "TransactWriteItems"),
    ],
)
def test_a_write_whose_faults_do_not_end_is_a_503_and_changes_nothing(
    client: Client, thread_id: str, function: str, operation: str, effect: Effect
) -> None:
    message_id = client.page(thread_id)["data"][0]["id"]
    ids = {"create_thread": (), "modify_message": (thread_id, message_id), "delete_message": (thread_id, message_id)}
    bodies = {"create_message": {"role": "user", "content": "second"}, "modify_message": {"metadata": {"a": "b"}}}
    bodies |= {"modify_thread": {"metadata": {"a": "b"}}, "create_thread": {}}
    before, threads = items_of(client, thread_id), client.create("list_threads")
    began = time.monotonic()
    with fault_injection.inject(Fault(operation, effect, times=0)):
        answer = client.call(function, *ids.get(function, (thread_id,)), body=bodies.get(function))
    assert answer.error == BUSY
    assert answer.headers["retry-after"] == "1"
    assert time.monotonic() - began < LONGEST_SECONDS
    assert items_of(client, thread_id) == before
    assert client.create("list_threads") == threads


@pytest.mark.parametrize("effect", [fault_injection.throttle, fault_injection.timeout, fault_injection.server_error])
@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("list_messages", "Query"),
        ("list_messages", "GetItem"),
        ("retrieve_message", "BatchGetItem"),
        ("retrieve_thread", "BatchGetItem"),
        ("list_threads", "Query"),
    ],
)
def test_a_read_meets_one_fault_unseen_and_is_a_503_when_they_do_not_end(
    client: Client, thread_id: str, function: str, operation: str, effect: Effect
) -> None:
    message_id = client.page(thread_id)["data"][0]["id"]
    ids = {"retrieve_message": (thread_id, message_id), "list_threads": ()}.get(function, (thread_id,))
    expected = client.create(function, *ids)
    with fault_injection.inject(Fault(operation, effect)):
        assert client.create(function, *ids) == expected
    with fault_injection.inject(Fault(operation, effect, times=0)):
        answer = client.call(function, *ids)
    assert answer.error == BUSY
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("function", "operation"), [("modify_message", "UpdateItem"), ("delete_message", "DeleteItem")]
)
@pytest.mark.parametrize(
    "effect", [fault_injection.conflict, fault_injection.lost, fault_injection.throttle, fault_injection.reset]
)
def test_a_write_that_meets_one_fault_succeeds(
    client: Client, thread_id: str, function: str, operation: str, effect: Effect
) -> None:
    """Plain writes meet a transaction too, and are not told apart from one whose answer was lost."""
    message_id = client.page(thread_id)["data"][0]["id"]
    body = {"metadata": {"a": "b"}} if function == "modify_message" else None
    with fault_injection.inject(Fault(operation, effect)) as attempts:
        answer = client.call(function, thread_id, message_id, body=body)
    assert answer.status == 200
    assert attempts.operations.count(operation) == 2
    assert texts(client, thread_id) == (["first"] if body else [])


@pytest.mark.parametrize("effect", [fault_injection.conflict, fault_injection.lost])
def test_a_thread_is_deleted_when_the_answer_to_that_is_lost(client: Client, thread_id: str, effect: Effect) -> None:
    with fault_injection.inject(Fault("UpdateItem", effect)):
        assert client.call("delete_thread", thread_id).status == 200
    assert client.call("delete_thread", thread_id).error == (404, None, None)
