"""The round trips of a call: calls at the same time, consistent reads, and the attempts of a create."""

import statistics
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.model import OperationModel

from tests.support import fault_injection
from tests.support.client import Answer, Client
from tests.support.clock import Clock
from tests.support.hooks import hooked

RUN = "run_1"


def test_a_list_asks_for_the_head_beside_its_query(client: Client) -> None:
    """Each of the two calls waits until the other is sent. If they were sent in sequence, the first would never end."""
    thread_id = client.thread()
    client.message(thread_id)
    both = threading.Barrier(2)

    def wait(model: OperationModel, **_: Any) -> None:
        both.wait(10)

    with hooked(before_call=wait):
        assert len(client.page(thread_id)["data"]) == 1


@pytest.mark.parametrize(
    ("function", "query", "expected"),
    [
        ("list_messages", {}, ["GetItem", "Query"]),
        ("list_messages", {"run_id": RUN}, ["BatchGetItem", "GetItem", "Query"]),
        ("retrieve_message", {}, ["BatchGetItem"]),
        ("retrieve_thread", {}, ["BatchGetItem"]),
        ("list_threads", {}, ["BatchGetItem", "Query"]),
    ],
)
def test_every_read_is_consistent(trusted: Client, function: str, query: dict[str, str], expected: list[str]) -> None:
    thread_id = trusted.thread()
    message_id = trusted.message(thread_id, role="assistant", run_id=RUN)["id"]
    ids = {"list_threads": (), "retrieve_message": (thread_id, message_id)}.get(function, (thread_id,))
    with fault_injection.inject() as attempts:
        assert trusted.call(function, *ids, query=query).status == 200
    assert sorted(attempts.operations) == expected
    for operation, request in attempts.log:
        asked = request["RequestItems"].values() if operation == "BatchGetItem" else [request]
        assert all(part["ConsistentRead"] is True for part in asked)


def test_a_repeat_is_one_call_also_when_its_clock_is_behind(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the Idempotency-Key comes before the check that the new id is too low."""
    clock = Clock(monkeypatch)
    thread_id = client.thread()
    clock.forward(1)
    headers = {"idempotency-key": "key"}
    body = {"role": "user", "content": "hello"}
    first = client.call("create_message", thread_id, body=body, headers=headers)
    clock.forward(-5)
    with fault_injection.inject() as attempts:
        repeat = client.call("create_message", thread_id, body=body, headers=headers)
    assert repeat.text == first.text
    assert attempts.operations == ["TransactWriteItems"]


def test_a_create_among_eight_writers_takes_few_attempts(
    client: Client, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """The content of the message shows to which create an attempt belongs."""
    thread_id = client.thread()
    tried: Counter[str] = Counter()

    def write(writer: int) -> list[Answer]:
        bodies = [{"role": "user", "content": f"{writer}-{number}"} for number in range(25)]
        return [client.call("create_message", thread_id, body=body) for body in bodies]

    with fault_injection.inject() as attempts, ThreadPoolExecutor(8) as pool:
        answers = [answer for found in pool.map(write, range(8)) for answer in found]
    assert {answer.status for answer in answers} == {200}
    for _, request in attempts.log:
        tried[request["TransactItems"][1]["Put"]["Item"]["content"]["S"]] += 1
    assert len(tried) == 200
    figures = f"median {statistics.median(tried.values())}, mean {tried.total() / 200:.2f}, most {max(tried.values())}"
    record_testsuite_property("attempts of a create among 8 writers", figures)
    assert statistics.median(tried.values()) <= 3
    assert max(tried.values()) <= 30
