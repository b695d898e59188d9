"""The events and the context that handlers get, and the responses made of their results."""

from typing import Any

import httpx
import pytest
from starlette.requests import Request

from tools.local import http_payload
from tools.local.template import Route


def _event(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 201
    event: dict[str, Any] = response.json()["event"]
    return event


def test_an_event_is_of_payload_format_2(client: httpx.Client) -> None:
    response = client.post(
        "/things/a%20b%2Fc?x=1&y=%C3%A9&x=2&empty=",
        content='{"é": 1}'.encode(),
        headers=[
            ("Content-Type", "application/json; charset=utf-8"),
            ("Authorization", "Bearer sk-1"),
            ("Cookie", "one=1; two=2"),
            ("X-Many", "a"),
            ("X-Many", "b"),
            ("User-Agent", "tests"),
        ],
    )
    event = _event(response)
    context = event["requestContext"]
    assert event == {
        "version": "2.0",
        "routeKey": "POST /things/{thingId}",
        "rawPath": "/things/a b/c",
        "rawQueryString": "x=1&y=%C3%A9&x=2&empty=",
        "cookies": ["one=1", "two=2"],
        "headers": {
            "accept": "*/*",
            "accept-encoding": event["headers"]["accept-encoding"],
            "authorization": "Bearer sk-1",
            "connection": "keep-alive",
            "content-length": "9",
            "content-type": "application/json; charset=utf-8",
            "host": f"127.0.0.1:{client.base_url.port}",
            "user-agent": "tests",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": str(client.base_url.port),
            "x-forwarded-proto": "http",
            "x-many": "a,b",
        },
        "queryStringParameters": {"x": "1,2", "y": "é", "empty": ""},
        "pathParameters": {"thingId": "a b/c"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": f"127.0.0.1:{client.base_url.port}",
            "domainPrefix": "local",
            "http": {
                "method": "POST",
                "path": "/things/a b/c",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "tests",
            },
            "requestId": response.headers["apigw-requestid"],
            "routeKey": "POST /things/{thingId}",
            "stage": "$default",
            "time": context["time"],
            "timeEpoch": context["timeEpoch"],
        },
        "body": '{"é": 1}',
        "isBase64Encoded": False,
    }


def test_what_a_request_lacks_is_absent_from_its_event(client: httpx.Client) -> None:
    event = _event(client.get("/nowhere"))
    assert event["routeKey"] == "$default"
    assert not {"body", "cookies", "pathParameters", "queryStringParameters"} & event.keys()
    assert (event["rawQueryString"], event["isBase64Encoded"]) == ("", False)


def test_the_context_is_as_the_runtimes(client: httpx.Client) -> None:
    told = client.post("/things/1").json()["context"]
    assert 19_000 < told.pop("remaining") <= 20_000
    assert len(told.pop("aws_request_id")) == 36
    assert told == {
        "function_name": "Echo",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:Echo",
        "log_group_name": "/aws/lambda/Echo",
        "log_stream_name": "local",
        "memory_limit_in_mb": "512",
    }


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain", b"abc", ("abc", False)),
        ("Application/JSON", b"abc", ("abc", False)),
        ("application/xml;charset=x", b"abc", ("abc", False)),
        ("application/json", b"\xff", ("/w==", True)),
        ("application/problem+json", b"abc", ("YWJj", True)),
        ("application/x-www-form-urlencoded", b"abc", ("YWJj", True)),
        ("", b"abc", ("YWJj", True)),
    ],
)
def test_only_some_types_arrive_as_text(
    client: httpx.Client, content_type: str, body: bytes, expected: tuple[str, bool]
) -> None:
    event = _event(client.post("/things/1", content=body, headers={"Content-Type": content_type}))
    assert (event["body"], event["isBase64Encoded"]) == expected


def test_bytes_of_a_query_that_are_not_ascii_are_kept() -> None:
    """With h11, uvicorn refuses such bytes itself. Another server passes them on."""
    scope = {
        "type": "http",
        "scheme": "http",
        "method": "GET",
        "http_version": "1.1",
        "path": "/",
        "raw_path": b"/",
        "headers": [],
    }
    request = Request(scope | {"query_string": b"a=\xff", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)})

    event = http_payload.request_event(request, b"", Route("ANY", "$default"), "id")

    assert event["rawQueryString"] == "a=\xff"
