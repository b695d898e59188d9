"""HTTP requests as API Gateway's events of payload format 2.0, and handlers' results as HTTP responses."""

import base64
import json
import secrets
import time
from collections.abc import Iterable
from http.cookies import CookieError
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response

from tools.local.template import ACCOUNT, Route

# API Gateway passes bodies of these content types as text, and all others as base64, also those without a type.
_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")


class MalformedResponseError(Exception):
    """A handler returned a result that API Gateway cannot turn into an HTTP response."""


def new_request_id() -> str:
    """Return an id in the form of API Gateway's: `aB3dE5gH7jK9mN0=`."""
    return base64.b64encode(secrets.token_bytes(11)).decode()


def request_event(request: Request, body: bytes, route: Route, request_id: str) -> dict[str, Any]:
    """Return the event for a request that matches the route. The request's body must have been read."""
    now = time.time()
    # API Gateway decodes rawPath, despite its name, and drops all that follows a decoded `?`.
    path = unquote(raw_path(request)).partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    headers, cookies = _headers(request)
    event = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": headers.get("host", ""),
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": f"HTTP/{request.scope['http_version']}",
                "sourceIp": _source(request),
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if request.path_params:
        event["pathParameters"] = {name: unquote(value) for name, value in request.path_params.items()}
    if body:
        event["body"], event["isBase64Encoded"] = _encode_body(body, headers.get("content-type", ""))
    return event


def raw_path(request: Request) -> str:
    """Return the path as the client sent it, percent-encoded and without the query."""
    raw: bytes = request.scope["raw_path"]
    return raw.decode("latin-1")


def encode(document: Any) -> bytes:
    """Encode an event or a result as the runtime does: JSON in UTF-8, without escapes for non-ASCII.

    Raises ValueError or TypeError for a value that has no JSON form.
    """
    return json.dumps(document, ensure_ascii=False).encode()


def response(result: Any) -> Response:
    """Return the HTTP response for a handler's result. Raises `MalformedResponseError`."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return Response(encode(result), media_type="application/json")
    body = result.get("body", "")
    try:
        content = base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode()
        http_response = Response(content, int(result["statusCode"]))
        for name, value in result.get("headers", {}).items():
            http_response.headers[name.lower()] = str(value)
        for cookie in result.get("cookies", []):
            http_response.headers.append("set-cookie", cookie)
    except (AttributeError, CookieError, TypeError, ValueError) as error:
        raise MalformedResponseError(type(error).__name__) from error
    http_response.headers.setdefault("content-type", "text/plain;charset=UTF-8")
    return http_response


def _headers(request: Request) -> tuple[dict[str, str], list[str]]:
    cookies = [cookie.strip() for value in request.headers.getlist("cookie") for cookie in value.split(";")]
    joined = _joined((name, value) for name, value in request.headers.items() if name != "cookie") | {
        "x-forwarded-for": _source(request),
        "x-forwarded-port": str(request.scope["server"][1]),
        "x-forwarded-proto": request.scope["scheme"],
    }
    return joined, cookies


def _source(request: Request) -> str:
    return request.client.host if request.client else ""


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the values by name. Commas separate several values of one name."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _encode_body(body: bytes, content_type: str) -> tuple[str, bool]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True
