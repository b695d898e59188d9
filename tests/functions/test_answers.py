"""The headers of every response, and the encoding of its body."""

import base64
import gzip
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import expected
from tests.support.client import Client, invoke


def _headers(answer: Any) -> dict[str, str]:
    """Check the headers that every response has, and return the other headers."""
    headers = dict(answer.headers)
    assert headers.pop("content-type") == "application/json"
    assert re.fullmatch(r"req_[0-9a-f]{32}", headers.pop("x-request-id"))
    assert re.fullmatch(r"[0-9]+", headers.pop("openai-processing-ms"))
    return headers


def test_every_answer_has_a_request_id_and_its_time(client: Client) -> None:
    thread_id = client.thread()
    message = client.message(thread_id)
    answers = [
        client.call("list_threads"),
        client.call("retrieve_thread", thread_id),
        client.call("modify_thread", thread_id, body={}),
        client.call("create_thread"),
        client.call("create_message", thread_id, body=expected.ROLE_USER),
        client.call("list_messages", thread_id),
        client.call("retrieve_message", thread_id, message["id"]),
        client.call("modify_message", thread_id, message["id"], body={"metadata": None}),
        client.call("delete_message", thread_id, message["id"]),
        client.call("delete_thread", thread_id),
        client.call("delete_thread", thread_id),
        client.call("create_thread", body="{"),
        invoke("list_threads", client.event("list_threads") | {"headers": {}}),
        invoke("unknown_route", client.event("list_threads")),
    ]

    assert [answer.status for answer in answers] == [200] * 10 + [404, 400, 401, 404]
    assert [_headers(answer) for answer in answers] == [{}] * len(answers)
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_an_event_of_another_kind_is_a_fault_and_no_crash(client: Client) -> None:
    event = {"headers": {"authorization": f"Bearer {client.secret}"}}

    answer = invoke("list_threads", event)

    assert (answer.status, answer.body) == (500, expected.OUR_FAULT)


def _encoded(client: Client, thread_id: str, accepted: str | None) -> dict[str, Any]:
    from functions.list_messages import handler

    headers = {} if accepted is None else {"accept-encoding": accepted}
    event = client.event("list_messages", thread_id, headers=headers)
    result: dict[str, Any] = handler(event, SimpleNamespace())
    return result


@pytest.mark.parametrize(
    "accepted",
    ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "deflate,gzip;q=0.01", "x, gzip ;q=1", "gzip;q=1.000"],
)
def test_a_long_answer_is_compressed_for_whoever_accepts_it(client: Client, accepted: str) -> None:
    thread_id = client.thread()
    message = client.message(thread_id, "é" * 5_000)

    result = _encoded(client, thread_id, accepted)

    assert result["isBase64Encoded"]
    assert (result["headers"]["content-encoding"], result["headers"]["vary"]) == ("gzip", "accept-encoding")
    assert json.loads(gzip.decompress(base64.b64decode(result["body"]))) == expected.page([message])
    assert len(result["body"]) < 1_000


@pytest.mark.parametrize(
    "accepted",
    [None, "", "identity", "deflate, br", "gzip;q=0", "gzip; q=0.000 , br", "gzip ;q=0.0", "br,gzip;q=0", "gzipped"],
)
def test_a_long_answer_is_plain_for_everybody_else(client: Client, accepted: str | None) -> None:
    thread_id = client.thread()
    client.message(thread_id, "é" * 5_000)

    result = _encoded(client, thread_id, accepted)

    assert not result["isBase64Encoded"]
    assert "content-encoding" not in result["headers"]
    assert "é" * 5_000 in result["body"]


def test_a_short_answer_is_not_compressed(client: Client) -> None:
    thread_id = client.thread()
    client.message(thread_id, "a" * 3_000)

    assert not _encoded(client, thread_id, "gzip")["isBase64Encoded"]


def test_an_answer_that_compression_makes_too_long_is_plain(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared import responses

    thread_id = client.thread()
    client.message(thread_id, "a" * 5_000)
    monkeypatch.setattr(responses, "_GZIP_TO_CHARACTERS", 100)

    assert not _encoded(client, thread_id, "gzip")["isBase64Encoded"]


def test_an_error_is_compressed_as_well(client: Client) -> None:
    """The name of an unknown field is in the message and in `param`."""
    answer = client.call("create_thread", body={"x" * 5_000: 1}, headers={"accept-encoding": "gzip"})

    assert answer.status == 400
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.body["error"]["param"] == "x" * 2_000 + "…"
