"""A create happens completely or not at all, and at most once, whatever faults AWS has.

tests/functions tests the other calls.
"""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.promises.threads import texts
from tests.support import fault_injection
from tests.support.client import Answer, Client
from tests.support.clock import Clock
from tests.support.fault_injection import Attempt, Effect, Fault, Outcome

BUSY = (503, None, None)


def throttled_in_part(attempt: Attempt) -> Outcome:
    return fault_injection.cancelled("None", "ThrottlingError")(attempt)


def lost_after(action: Callable[[], object]) -> Effect:
    """Let the engine process the request, then call the action, and lose the response."""

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
def thread_id(client: Client, clock: Clock) -> str:
    thread_id = client.thread()
    client.message(thread_id, "first")
    clock.forward(1)  # in the same millisecond, a create may conflict with the previous one and be tried again
    return thread_id


def create(client: Client, thread_id: str, **headers: str) -> Answer:
    return client.call("create_message", thread_id, body={"role": "user", "content": "second"}, headers=headers)


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "key"}])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("effect", [*PASSING, *CONFLICTING])
def test_a_create_that_meets_faults_happens_once_or_is_a_503_and_never_twice(
    client: Client, thread_id: str, effect: Effect, times: int, headers: dict[str, str]
) -> None:
    """A call is sent at most twice, by botocore. After a conflict, the store repeats the call."""
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
        # `lost` is the only fault after which the create is done although the client was told to send it again.
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
    """DynamoDB remembers a token for ten minutes. After that, the conditions show whose message is stored."""

    def without_token(attempt: Attempt) -> Outcome:
        """Send the same transaction without the token. DynamoDB responds as if it had forgotten the token."""
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
