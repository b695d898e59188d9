"""The functions log one line for each request, and never a secret, content, metadata or an Idempotency-Key."""

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.client import Client, invoke
from tests.support.clock import Clock
from tests.support.fault_injection import Fault

_WORDS = ("content-word", "metadata-word", "key-word", "file-word", "run-word", "resource-word", "query-word")
_BODY = {
    "role": "assistant",
    "content": [
        {"type": "text", "text": {"value": "content-word", "annotations": []}},
        {"type": "image_url", "image_url": {"url": "https://example.com/file-word"}},
    ],
    "attachments": [{"file_id": "file-word"}],
    "metadata": {"metadata-word": "metadata-word", "user_id": "metadata-word"},
    "run_id": "run-word",
}
_THREAD = {"metadata": {"user_id": "metadata-word"}, "tool_resources": {"a": "resource-word"}}
_KEY = {"idempotency-key": "key-word"}


class Log:
    """Everything that was logged: the functions' lines, and the text of all other loggers."""

    def __init__(self) -> None:
        self.functions, self.others = io.StringIO(), io.StringIO()

    @property
    def text(self) -> str:
        return self.functions.getvalue() + self.others.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.functions.getvalue().splitlines()]


@pytest.fixture
def log(on_the_table: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Capture the lines of the functions' logger, at the level of a deployment, and of every other logger."""
    from shared.log import logger

    log = Log()
    root = logging.getLogger()
    own, others = logger.log_level, logging.StreamHandler(log.others)
    monkeypatch.setattr(logger.registered_handler, "stream", log.functions)
    logger.setLevel("INFO")
    root.addHandler(others)
    yield log
    root.removeHandler(others)
    logger.setLevel(own)


def _requests(client: Client) -> list[str]:
    """Make requests of every kind, good and bad. Return the texts of their responses."""
    thread_id = client.create("create_thread", body=_THREAD | {"messages": [_BODY]}, headers=_KEY)["id"]
    message_id = client.create("create_message", thread_id, body=_BODY, headers=_KEY)["id"]
    large = _BODY | {"content": "content-word " * 19_000}
    bad = _BODY | {"role": "content-word"}
    calls: list[tuple[str, list[str], Any]] = [
        ("create_message", [thread_id], _BODY),
        ("create_message", [thread_id], large),
        ("create_message", [thread_id], bad),
        ("create_message", [thread_id], _BODY | {"metadata-word": 1}),
        ("create_message", [thread_id], '{"content-word'),
        ("create_message", ["thread_metadata-word"], _BODY),
        ("list_messages", [thread_id], None),
        ("list_threads", [], None),
        ("retrieve_message", [thread_id, message_id], None),
        ("modify_message", [thread_id, message_id], {"metadata": _BODY["metadata"]}),
        ("modify_thread", [thread_id], _THREAD),
        ("delete_message", [thread_id, message_id], None),
        ("retrieve_message", [thread_id, message_id], None),
        ("delete_thread", [thread_id], None),
        ("create_thread", [], _THREAD),
    ]
    query = {"run_id": "run-word", "q": "query-word"}
    return [
        client.call(function, *ids, body=body, query=query if body is None else "", headers=_KEY).text
        for function, ids, body in calls
    ]


def _wrong(client: Client) -> None:
    Client(project=client.project, secret=client.secret + "x").call("list_threads")


@pytest.mark.parametrize(
    "effect",
    [
        None,
        fault_injection.timeout,
        fault_injection.lost,
        fault_injection.throttle,
        fault_injection.error("ValidationException", message="content-word"),
    ],
    ids=["good", "timeout", "lost", "throttle", "fault"],
)
def test_no_log_holds_what_is_not_the_logs_business(
    log: Log, capfd: Any, effect: fault_injection.Effect | None
) -> None:
    client = Client(trusted=True)
    answers = _requests(client)
    if effect:
        _requests_with(client, effect)
    _wrong(client)

    printed = "".join(capfd.readouterr())
    assert sum("content-word" in answer for answer in answers) >= 2
    assert len(log.lines) > 10
    for secret in (*_WORDS, client.secret, client.secret[3:20], "Bearer", "authorization"):
        assert secret not in log.text
        assert secret not in printed


def _requests_with(client: Client, effect: fault_injection.Effect) -> None:
    """Make requests with a fault in each kind of call."""
    for operation in ("TransactWriteItems", "Query", "GetItem", "BatchGetItem", "UpdateItem", "DeleteItem"):
        thread_id = client.thread()
        message_id = client.message(thread_id)["id"]
        with fault_injection.inject(Fault(operation, effect, times=2)):
            for function, ids, body in (
                ("create_message", [thread_id], _BODY),
                ("list_messages", [thread_id], None),
                ("retrieve_message", [thread_id, message_id], None),
                ("modify_message", [thread_id, message_id], {"metadata": _BODY["metadata"]}),
                ("delete_message", [thread_id, message_id], None),
            ):
                client.call(function, *ids, body=body, headers=_KEY)


def test_a_request_is_one_line(log: Log) -> None:
    client = Client()
    answer = client.call("create_thread")
    unknown = client.call("retrieve_thread", "thread_x")

    first, second = log.lines
    assert {name: first[name] for name in ("level", "message", "operation", "request_id", "status", "project")} == {
        "level": "INFO",
        "message": "request",
        "operation": "create_thread",
        "request_id": answer.headers["x-request-id"],
        "status": 200,
        "project": client.project,
    }
    assert first["milliseconds"] == int(answer.headers["openai-processing-ms"])
    assert len(first["key_id"]) == 16
    assert (second["level"], second["status"]) == ("INFO", 404)
    assert second["request_id"] == unknown.headers["x-request-id"]
    assert "cause" not in first | second


def test_without_a_key_nobody_is_named(log: Log) -> None:
    Client(secret="sk-unknown").call("list_threads")

    (line,) = log.lines
    assert (line["level"], line["status"]) == ("INFO", 401)
    assert not {"project", "key_id"} & line.keys()


@pytest.mark.parametrize(
    ("effect", "errors", "codes", "status"),
    [
        (fault_injection.error("AccessDeniedException"), ["ClientError"], ["AccessDeniedException"], 500),
        (fault_injection.throttle, ["BusyError", "ThrottlingException"], ["ThrottlingException"], 503),
        (fault_injection.timeout, ["BusyError", "ConnectTimeoutError"], [], 503),
        (fault_injection.lost, ["BusyError", "ReadTimeoutError"], [], 503),
    ],
    ids=["denied", "throttle", "timeout", "lost"],
)
def test_a_fault_is_logged_with_its_kind_and_place(
    log: Log, effect: fault_injection.Effect, errors: list[str], codes: list[str], status: int
) -> None:
    client = Client()
    client.call("list_threads")

    with fault_injection.inject(Fault("Query", effect, times=2)):
        answer = client.call("list_threads")

    line = log.lines[-1]
    assert (line["level"], line["status"], answer.status) == ("ERROR", status, status)
    assert (line["cause"]["error"][0], line["cause"]["code"]) == (errors[0], codes)
    assert len(line["cause"]["error"]) == len(errors)
    assert any("/shared/store/table.py:" in place for place in line["cause"]["at"])


def test_the_first_request_of_an_instance_is_counted_as_a_cold_start(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared import responses

    client = Client()
    monkeypatch.setattr(responses, "_first_request", iter([1]))
    for _ in range(2):
        client.call("list_threads")

    first, second = log.lines
    assert first["cold_start"] == 1
    directive = {
        "Namespace": "MessageApi/message-api",
        "Dimensions": [[]],
        "Metrics": [{"Name": "cold_start", "Unit": "Count"}],
    }
    assert first["_aws"] == {"Timestamp": first["_aws"]["Timestamp"], "CloudWatchMetrics": [directive]}
    assert abs(first["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    assert not {"cold_start", "_aws"} & second.keys()


@pytest.mark.parametrize(
    ("injected", "retries"),
    [
        ([Fault("TransactWriteItems", fault_injection.conflict, times=3)], 3),
        ([Fault("TransactWriteItems", fault_injection.throttle)], 1),
        (
            [
                Fault("TransactWriteItems", fault_injection.conflict),
                Fault("TransactWriteItems", fault_injection.throttle, at=2),
            ],
            2,
        ),
        ([Fault("TransactWriteItems", fault_injection.timeout, times=2)], 1),
    ],
    ids=["conflicts", "botocore's second attempt", "both", "no connection twice"],
)
def test_repeated_calls_are_counted(log: Log, injected: list[Fault], retries: int) -> None:
    client = Client()
    thread_id = client.thread()
    with fault_injection.inject(*injected):
        client.call("create_message", thread_id, body=expected.ROLE_USER)

    line = log.lines[-1]
    assert line["retries"] == retries
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "retries", "Unit": "Count"}]


def test_a_create_that_others_overtook_is_counted_and_so_is_a_modify(log: Log, clock: Clock) -> None:
    client = Client()
    thread_id = client.thread()

    def overtake() -> None:
        clock.forward(1)
        client.call("create_message", thread_id, body=expected.ROLE_USER)

    later = fault_injection.before(overtake)
    ahead = fault_injection.before(lambda: client.call("modify_thread", thread_id, body={"metadata": {"a": "1"}}))
    with fault_injection.inject(Fault("TransactWriteItems", later)):
        client.call("create_message", thread_id, body=expected.ROLE_USER)
    with fault_injection.inject(Fault("TransactWriteItems", ahead)):
        client.call("modify_thread", thread_id, body={"metadata": {"a": "2"}})

    counted = [(line["operation"], line.get("retries")) for line in log.lines[1:]]
    assert counted == [
        ("create_message", None),
        ("create_message", 1),
        ("modify_thread", None),
        ("modify_thread", 1),
    ]


def test_the_gateways_id_of_a_request_stands_beside_ours(log: Log) -> None:
    client = Client()
    event = client.event("list_threads")
    event["requestContext"]["requestId"] = "aB3dE5gH7jK9mN0="

    invoke("list_threads", event)

    assert log.lines[-1]["gateway_request_id"] == "aB3dE5gH7jK9mN0="


def test_a_client_error_is_no_error_of_the_log(log: Log) -> None:
    client = Client()
    for body in ("{", {"more": 1}, {"messages": [expected.ROLE_USER] * 33}):
        client.call("create_thread", body=body)

    assert [(line["level"], line["status"]) for line in log.lines] == [("INFO", 400)] * 3
