"""The contract's errors, as a client of the local API sees them over HTTP.

`tests/functions/` has every error through the handlers; here is each status, and what only a real request can be.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.local_api import LocalApi

_NO_THREAD = "/threads/thread_none"
_HELLO = {"role": "user", "content": "Hello"}


@pytest.fixture(scope="module")
def client(api: LocalApi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-alpha"}, timeout=30) as opened:
        yield opened


@pytest.fixture(scope="module")
def messages(client: httpx.Client) -> str:
    return f"/threads/{client.post('/threads').json()['id']}/messages"


# Each entry: method, path (MESSAGES stands for a thread's path of messages), the request's options, and the expected
# status, param and code.
_ROWS: dict[str, tuple[str, str, dict[str, Any], tuple[int, str | None, str | None]]] = {
    "no thread": ("GET", _NO_THREAD, {}, (404, None, None)),
    "no message": ("GET", "MESSAGES/msg_none", {}, (404, None, None)),
    "malformed message id": ("GET", "MESSAGES/none", {}, (400, "message_id", "invalid_value")),
    "escaped id": ("GET", "/threads/thread_%C3%A9", {}, (400, "thread_id", "invalid_value")),
    "role": ("POST", "MESSAGES", {"json": _HELLO | {"role": "human"}}, (400, "role", "invalid_value")),
    "lone surrogate": (
        "POST",
        "MESSAGES",
        {"content": b'{"role": "user", "content": "\\ud800"}'},
        (400, "content", "invalid_value"),
    ),
    "limit above": ("GET", "MESSAGES?limit=101", {}, (400, "limit", "integer_above_max_value")),
    "limit repeated": ("GET", "MESSAGES?limit=1&limit=1", {}, (400, "limit", "invalid_value")),
    "doubled /v1": ("GET", "/v1/v1/threads", {}, (404, None, "unknown_url")),
    "trailing slash": ("GET", "/threads/", {}, (404, None, "unknown_url")),
    "bad Idempotency-Key": (
        "POST",
        "MESSAGES",
        {"json": _HELLO, "headers": {"Idempotency-Key": "x" * 256}},
        (400, "Idempotency-Key", "invalid_value"),
    ),
    "no JSON": ("POST", "MESSAGES", {"content": b"{"}, (400, None, None)),
    "no UTF-8": ("POST", "MESSAGES", {"content": b'{"role": "\xff"}'}, (400, None, None)),
    "empty array": ("POST", "MESSAGES", {"json": []}, (400, "role", "missing_required_parameter")),
    "too deep": ("POST", "MESSAGES", {"content": b'{"a":' * 100_000}, (400, None, None)),
    "gzip": (
        "POST",
        "MESSAGES",
        {"content": b"\x1f\x8b\x08\x00", "headers": {"Content-Encoding": "gzip"}},
        (400, None, None),
    ),
    "no key": ("GET", _NO_THREAD, {"headers": {"Authorization": ""}}, (401, None, None)),
    "another scheme": ("GET", _NO_THREAD, {"headers": {"Authorization": "Basic sk-alpha"}}, (401, None, None)),
    "wrong key": (
        "GET",
        _NO_THREAD,
        {"headers": {"Authorization": "Bearer sk-wrong-key"}},
        (401, None, "invalid_api_key"),
    ),
    "a run": ("POST", "/threads/runs", {"json": {}}, (404, None, "unknown_url")),
    "assistants": ("GET", "/assistants", {}, (404, None, "unknown_url")),
    "unknown route without a key": ("GET", "/nowhere", {"headers": {"Authorization": ""}}, (401, None, None)),
    "method": ("PUT", "/threads", {}, (405, None, None)),
}


@pytest.mark.parametrize("row", _ROWS)
def test_an_error_has_its_status_param_and_code(client: httpx.Client, messages: str, row: str) -> None:
    method, path, sent, expected = _ROWS[row]
    answer = client.request(method, path.replace("MESSAGES", messages), **sent)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == expected
    assert list(error) == ["message", "type", "param", "code"]
    assert error["type"] == "invalid_request_error"
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["openai-processing-ms"].isdecimal()
    assert ("allow" in answer.headers) == (answer.status_code == 405)


def test_a_key_for_another_body_is_409_and_not_to_be_retried(client: httpx.Client, messages: str) -> None:
    key = {"Idempotency-Key": "once"}
    assert client.post(messages, json=_HELLO, headers=key).status_code == 200
    replay = client.post(messages, json=dict(reversed(_HELLO.items())), headers=key)
    assert (replay.status_code, replay.headers["idempotent-replayed"]) == (200, "true")
    other = client.post(messages, json=_HELLO | {"content": "Other"}, headers=key)
    assert (other.status_code, other.headers["x-should-retry"]) == (409, "false")
    assert other.json()["error"]["code"] == "idempotency_key_reused"


def test_a_body_past_lambdas_limit_is_refused_by_the_gateway(client: httpx.Client, messages: str) -> None:
    answer = client.post(messages, json=_HELLO | {"content": "x" * 6_300_000})
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (413, "Request Entity Too Large"),
        (429, "Too Many Requests"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
    ],
)
def test_the_gateways_own_answers_can_be_replayed(client: httpx.Client, status: int, message: str) -> None:
    answer = client.get(_NO_THREAD, headers={"x-local-gateway": str(status)})
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    assert "x-request-id" not in answer.headers
