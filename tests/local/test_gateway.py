"""Routes, limits and failures of the gateway, as a client sees them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tools.local.gateway import MAX_ANSWER, MAX_EVENT


@pytest.mark.parametrize(
    ("method", "path", "route", "parameters"),
    [
        ("POST", "/things/1", "POST /things/{thingId}", {"thingId": "1"}),
        ("GET", "/things/1/parts/2", "GET /things/{thingId}/parts/{partId}", {"thingId": "1", "partId": "2"}),
        ("PUT", "/files/a/b%20c", "ANY /files/{path+}", {"path": "a/b c"}),
        ("GET", "/things/1", "$default", None),
        ("OPTIONS", "/things/1", "$default", None),
        ("POST", "/things/1/", "$default", None),
        ("POST", "/things/", "$default", None),
        ("POST", "/", "$default", None),
        ("GET", "/%FF%00", "$default", None),
    ],
)
def test_requests_are_routed_by_method_and_raw_path(
    client: httpx.Client, method: str, path: str, route: str, parameters: dict[str, str] | None
) -> None:
    event = client.request(method, path).json()["event"]
    assert (event["routeKey"], event.get("pathParameters")) == (route, parameters)


def test_head_goes_to_the_default_route_and_has_no_body(client: httpx.Client) -> None:
    response = client.head("/things/1")
    assert (response.status_code, response.content) == (201, b"")


def test_a_result_becomes_the_answer(client: httpx.Client) -> None:
    response = client.post("/things/1")
    assert response.status_code == 201
    assert (response.headers["content-type"], response.headers["x-own"]) == ("application/json", "1")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2; Secure"]


def test_a_result_without_a_status_is_a_json_body(client: httpx.Client) -> None:
    response = client.post("/things/special")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json().keys() == {"plain", "size"}


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [("base64", 200, b"\0\xff"), ("text", 200, "é".encode()), ("no-body", 204, b"")],
)
def test_bodies_are_text_or_base64(client: httpx.Client, kind: str, status: int, content: bytes) -> None:
    response = client.get(f"/odd/{kind}")
    assert (response.status_code, response.content) == (status, content)
    assert response.headers["content-type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    "kind",
    ["raises", "malformed-status", "malformed-body", "malformed-base64", "no-json", "surrogate", "too-large"],
)
def test_whatever_a_handler_does_wrong_is_500(client: httpx.Client, kind: str) -> None:
    response = client.get(f"/odd/{kind}")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_an_answer_may_be_as_large_as_lambdas(client: httpx.Client) -> None:
    assert client.get("/odd/largest").text == "é" * ((MAX_ANSWER - 31) // 2) + "a"


def test_a_handler_past_its_time_is_500_and_others_go_on(client: httpx.Client) -> None:
    response = client.get("/odd/sleeps")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})
    assert client.get("/odd/text").status_code == 200


def test_streams_come_piece_by_piece_past_the_time_and_keep_nobody_waiting(client: httpx.Client) -> None:
    with ExitStack() as opened:
        streams = [opened.enter_context(client.stream("GET", "/odd/streams")) for _ in range(12)]
        pieces = [stream.iter_text() for stream in streams]
        assert [next(texts) for texts in pieces] == ["one"] * 12
        assert client.get("/odd/text").status_code == 200
        assert ["".join(texts) for texts in pieces] == ["two"] * 12
        assert {stream.headers["content-type"] for stream in streams} == {"text/event-stream"}


def test_an_event_may_be_as_large_as_lambdas(client: httpx.Client) -> None:
    def post(size: int) -> httpx.Response:
        return client.post("/things/special", content=b"x" * size, headers={"Content-Type": "text/plain"})

    without_body = int(post(6_000_000).json()["size"]) - 6_000_000
    assert post(MAX_EVENT - without_body).json()["size"] == MAX_EVENT
    response = post(MAX_EVENT - without_body + 1)
    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})


def test_a_body_over_10_mb_is_413(client: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(12):
            yield b"x" * 1024 * 1024

    response = client.post("/things/1", content=chunks())
    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (413, "Request Entity Too Large"),
        (429, "Too Many Requests"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
    ],
)
def test_a_header_replays_what_api_gateway_answers_by_itself(client: httpx.Client, status: int, message: str) -> None:
    response = client.post("/things/1", headers={"x-local-gateway": str(status)})
    assert (response.status_code, response.json()) == (status, {"message": message})


@pytest.mark.parametrize("status", ["418", "504"])
def test_any_other_replay_is_ignored(client: httpx.Client, status: str) -> None:
    assert client.post("/things/1", headers={"x-local-gateway": status}).status_code == 201


def test_one_line_a_request_says_nothing_private(client: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.post("/things/1?token=private", content=b"private", headers={"Authorization": "Bearer private"})
    client.get("/odd/raises")
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.startswith("POST /things/1 201 ")
    assert re.fullmatch(r"Odd raised ValueError at \S+/gateway_handlers\.py:\d+", second)
    assert third.startswith("GET /odd/raises 500 ")
