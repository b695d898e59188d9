"""A table that is missing, closed to us, or written by a later version: a clean 500 or 503, logged with its cause."""

import logging
from typing import Any

import pytest

from tests.support import fault_injection
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.fault_injection import Fault

OURS = (500, None, None)
OPERATIONS = ("GetItem", "BatchGetItem", "Query", "UpdateItem", "DeleteItem", "TransactWriteItems")
FUNCTIONS = (
    "create_message",
    "list_messages",
    "retrieve_message",
    "modify_message",
    "delete_message",
    "create_thread",
    "list_threads",
    "retrieve_thread",
    "modify_thread",
    "delete_thread",
)
BODIES = {
    "create_message": {"role": "user", "content": "second"},
    "modify_message": {"metadata": {"a": "b"}},
    "modify_thread": {"metadata": {"a": "b"}},
}


def call(client: Client, function: str, thread_id: str, message_id: str) -> Any:
    of_message = function in ("retrieve_message", "modify_message", "delete_message")
    ids = (
        (thread_id, message_id) if of_message else () if function in ("create_thread", "list_threads") else (thread_id,)
    )
    return client.call(function, *ids, body=BODIES.get(function))


def stored(client: Client, thread_id: str) -> list[Any]:
    from shared.store import keys, table

    table.set_deadline(60)
    return [
        *table.query(keys.thread_partition(client.project, thread_id), "!", "~"),
        *table.query(keys.threads_partition(client.project, thread_id[-26:], 1), "!", "~"),
    ]


def newer(client: Client, thread_id: str, sort_key: str) -> None:
    """Let an item be one that a later version wrote."""
    from shared.store import keys, table

    table.update(
        keys.key(keys.thread_partition(client.project, thread_id), sort_key),
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"N": "2"}},
    )


def causes(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the causes that were logged as errors since the last time."""
    found = [getattr(record, "cause", {}) for record in caplog.records if record.levelno == logging.ERROR]
    caplog.clear()
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException", "ExpiredTokenException"])
def test_a_table_that_is_missing_or_denied_is_a_500(
    client: Client, caplog: pytest.LogCaptureFixture, function: str, code: str
) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    before = stored(client, thread_id)
    with fault_injection.inject(*(Fault(operation, fault_injection.error(code), times=0) for operation in OPERATIONS)):
        answer = call(client, function, thread_id, message_id)
    assert answer.error == OURS
    assert code not in answer.text
    (cause,) = causes(caplog)
    assert cause["code"] == [code]
    assert cause["error"]
    assert any("table.py" in place for place in cause["at"])
    assert stored(client, thread_id) == before


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_table_that_is_throttled_beyond_the_retries_is_a_503(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    Clock(monkeypatch)
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    before = stored(client, thread_id)
    with fault_injection.inject(*(Fault(operation, fault_injection.throttle, times=0) for operation in OPERATIONS)):
        answer = call(client, function, thread_id, message_id)
    assert answer.error == (503, None, None)
    assert answer.headers["retry-after"] == "1"
    (cause,) = causes(caplog)
    assert cause["error"][0] == "BusyError"
    assert cause["code"] == ["ThrottlingException"]
    assert stored(client, thread_id) == before


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name not in ("create_thread", "list_threads")])
def test_a_thread_of_a_later_version_is_a_500_and_stays_as_it_is(
    client: Client, caplog: pytest.LogCaptureFixture, function: str
) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    newer(client, thread_id, "head")
    before = stored(client, thread_id)
    answer = call(client, function, thread_id, message_id)
    assert answer.error == OURS
    (cause,) = causes(caplog)
    assert cause["error"][0] == "NewerItemError"
    assert stored(client, thread_id) == before


@pytest.mark.parametrize("function", ["list_messages", "retrieve_message", "modify_message"])
def test_a_message_of_a_later_version_is_a_500_and_stays_as_it_is(
    client: Client, caplog: pytest.LogCaptureFixture, function: str
) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    newer(client, thread_id, message_id)
    before = stored(client, thread_id)
    assert call(client, function, thread_id, message_id).error == OURS
    assert [cause["error"][0] for cause in causes(caplog)] == ["NewerItemError"]
    assert stored(client, thread_id) == before


def test_what_is_logged_of_a_fault_holds_no_content_and_no_key(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    thread_id = client.thread()
    with fault_injection.inject(
        Fault("TransactWriteItems", fault_injection.error("ValidationException", Item="a secret"), times=0)
    ):
        answer = client.call("create_message", thread_id, body={"role": "user", "content": "a secret"})
    assert answer.error == OURS
    logged = repr([vars(record) for record in caplog.records])
    assert "a secret" not in logged
    assert client.secret not in logged
