"""If the table does not respond, or not in time, the response is a 503 with retry-after.

It never shows the cause, and no change is made by half.
"""

import threading
from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.client import OPERATIONS, Answer, Client
from tests.support.clock import Clock
from tests.support.fault_injection import Attempt, Fault, Outcome
from tests.support.refusals import BODIES

# Each operation with every kind of call that it makes.
CALLS = [
    ("create_message", "TransactWriteItems"),
    ("list_messages", "Query"),
    ("list_messages", "GetItem"),
    ("retrieve_message", "BatchGetItem"),
    ("modify_message", "GetItem"),
    ("modify_message", "UpdateItem"),
    ("delete_message", "BatchGetItem"),
    ("delete_message", "DeleteItem"),
    ("create_thread", "TransactWriteItems"),
    ("list_threads", "Query"),
    ("list_threads", "BatchGetItem"),
    ("retrieve_thread", "BatchGetItem"),
    ("modify_thread", "BatchGetItem"),
    ("modify_thread", "TransactWriteItems"),
    ("delete_thread", "UpdateItem"),
]
EACH_CALL = pytest.mark.parametrize(("function", "operation"), CALLS)
EACH_WRITE = pytest.mark.parametrize(
    ("function", "operation"), [call for call in CALLS if call[1] in {"TransactWriteItems", "UpdateItem", "DeleteItem"}]
)
EACH_EFFECT = pytest.mark.parametrize(
    "effect",
    [fault_injection.throttle, fault_injection.timeout, fault_injection.server_error],
    ids=["throttle", "time", "500"],
)


class Calls:
    """One call of each operation on a thread with a message. `shown` returns what can be read before and after it."""

    def __init__(self) -> None:
        self.client = Client()
        self.thread_id = self.client.thread()
        self.message_id = self.client.message(self.thread_id)["id"]
        self.before = self.shown()

    def call(self, function: str) -> Answer:
        ids = (self.thread_id, self.message_id)[: OPERATIONS[function]]
        return self.client.call(function, *ids, body=BODIES.get(function))

    def shown(self) -> list[str]:
        """Return everything that can be read."""
        return [self.call(function).text for function in ("retrieve_thread", "list_messages", "list_threads")]


@pytest.fixture(scope="module")
def failing(on_the_table: None) -> Calls:
    """Return calls that must all fail, and must change nothing."""
    return Calls()


@pytest.fixture
def calls(on_the_table: None, clock: Clock) -> Calls:
    made = Calls()
    clock.forward(1)  # else the next message would be of the same millisecond, and half of the time have the lower id
    return made


def _is_busy(answer: Answer) -> bool:
    assert (answer.status, answer.body) == (503, expected.BUSY)
    return answer.headers["retry-after"] == "1"


@EACH_CALL
@EACH_EFFECT
def test_a_table_that_does_not_answer_is_a_503(
    failing: Calls, clock: Clock, function: str, operation: str, effect: fault_injection.Effect
) -> None:
    with fault_injection.inject(Fault(operation, effect, times=0)) as attempts:
        answer = failing.call(function)

    assert _is_busy(answer)
    assert attempts.operations.count(operation) == 2
    assert failing.shown() == failing.before


@EACH_CALL
@EACH_EFFECT
def test_one_fault_is_not_seen(calls: Calls, function: str, operation: str, effect: fault_injection.Effect) -> None:
    with fault_injection.inject(Fault(operation, effect)):
        answer = calls.call(function)

    assert answer.status == 200


@EACH_CALL
def test_a_table_that_is_missing_or_denied_is_a_500_that_tells_nothing(
    failing: Calls, function: str, operation: str
) -> None:
    for code in ("AccessDeniedException", "ExpiredTokenException", "ResourceNotFoundException"):
        with fault_injection.inject(Fault(operation, fault_injection.error(code), times=0)):
            answer = failing.call(function)

        assert (answer.status, answer.body) == (500, expected.OUR_FAULT)
    assert failing.shown() == failing.before


@EACH_WRITE
def test_a_few_conflicts_are_not_seen(calls: Calls, clock: Clock, function: str, operation: str) -> None:
    with fault_injection.inject(Fault(operation, fault_injection.conflict, times=5)) as attempts:
        answer = calls.call(function)

    assert answer.status == 200
    assert attempts.operations.count(operation) == 6
    assert len(clock.slept) == 5


@EACH_WRITE
def test_conflicts_without_end_are_a_503_within_the_time_of_a_request(
    failing: Calls, clock: Clock, function: str, operation: str
) -> None:
    with fault_injection.inject(Fault(operation, fault_injection.conflict, times=0)):
        answer = failing.call(function)

    assert _is_busy(answer)
    assert 12 < sum(clock.slept) < 12.5
    assert max(clock.slept) <= 0.4
    assert failing.shown() == failing.before


def test_a_call_beside_another_that_does_not_end_is_a_503(
    failing: Calls, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A response that comes byte by byte never reaches botocore's time-out for reading."""
    monkeypatch.setattr("shared.store.table._SECONDS_FOR_A_CALL", 0.01)
    over = threading.Event()

    def drip(attempt: Attempt) -> Outcome:
        over.wait(60)
        return attempt.send()

    use_up_time = fault_injection.after(lambda: clock.forward(12))
    with fault_injection.inject(Fault("GetItem", drip), Fault("Query", use_up_time)):
        answer = failing.call("list_messages")
        over.set()

    assert _is_busy(answer)


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_was_throttled_in_part_is_tried_again(calls: Calls, code: str) -> None:
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.cancelled("None", code))):
        answer = calls.call("create_message")

    assert answer.status == 200


def test_a_transaction_that_is_cancelled_for_another_reason_is_a_fault(calls: Calls) -> None:
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.cancelled("None", "ValidationError"))):
        answer = calls.call("create_message")

    assert (answer.status, answer.body) == (500, expected.OUR_FAULT)


@pytest.mark.parametrize("effect", [fault_injection.throttle, fault_injection.timeout], ids=["throttle", "time"])
def test_a_key_that_cannot_be_looked_up_is_a_503(clock: Clock, effect: fault_injection.Effect) -> None:
    client = Client()

    with fault_injection.inject(Fault("GetItem", effect, times=2)):
        answer = client.call("list_threads")

    assert _is_busy(answer)
    assert client.call("list_threads").status == 200


@pytest.mark.parametrize("function", ["retrieve_message", "delete_message", "retrieve_thread", "list_threads"])
def test_what_a_batch_left_unread_is_read_again(calls: Calls, function: str) -> None:
    def leave_all(answer: dict[str, Any]) -> None:
        ((table, items),) = answer["Responses"].items()
        wanted = [{name: item[name] for name in ("threadId", "messageId")} for item in items]
        answer |= {"Responses": {}, "UnprocessedKeys": {table: {"Keys": wanted, "ConsistentRead": True}}}

    with fault_injection.inject(Fault("BatchGetItem", fault_injection.changed(leave_all), times=2)) as attempts:
        answer = calls.call(function)

    assert answer.status == 200
    assert attempts.operations.count("BatchGetItem") == 3


def test_a_batch_that_is_never_read_is_a_503(calls: Calls) -> None:
    def leave_one(answer: dict[str, Any]) -> None:
        ((table, (*rest, item)),) = answer["Responses"].items()
        key = {name: item[name] for name in ("threadId", "messageId")}
        answer |= {"Responses": {table: rest}, "UnprocessedKeys": {table: {"Keys": [key]}}}

    with fault_injection.inject(Fault("BatchGetItem", fault_injection.changed(leave_one), times=0)):
        answer = calls.call("retrieve_message")

    assert _is_busy(answer)
