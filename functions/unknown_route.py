"""Unknown route: what no other route takes; `$default` of the API."""

import re
from typing import Any

from shared import errors
from shared.entry import Response, serve
from shared.request import Request
from shared.settings import settings

_THREADS = "(?:/openai)?(?:/v1)?/threads"
_RUNS = re.compile(rf"{_THREADS}/runs")
_METHODS = [
    (re.compile(rf"{_THREADS}/?"), ("GET", "POST")),
    (re.compile(rf"{_THREADS}/(?!runs/?$)[^/]+/?"), ("GET", "POST", "DELETE")),
    (re.compile(rf"{_THREADS}/[^/]+/messages/?"), ("GET", "POST")),
    (re.compile(rf"{_THREADS}/[^/]+/messages/[^/]+/?"), ("GET", "POST", "DELETE")),
    (re.compile(r"(?:/v1)?/openapi\.json"), ("GET",)),
]


def unknown_route(request: Request) -> Response:
    """Refuse a method that a known path does not have, or a path that this service does not know."""
    for path, methods in _METHODS:
        if path.fullmatch(request.path) and request.method not in methods:
            raise errors.method_not_allowed(request.method, request.path, methods)
    if settings().runs_on and _RUNS.fullmatch(request.path):
        raise errors.method_not_allowed(request.method, request.path, ["POST"])
    raise errors.unknown_url(request.method, request.path, runs_on=settings().runs_on)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Let a browser's preflight pass, which never has a key; whether the page may go on, API Gateway's headers say."""
    is_preflight = {"origin", "access-control-request-method"} <= event.get("headers", {}).keys()
    if is_preflight and event["requestContext"]["http"]["method"] == "OPTIONS":
        return {"statusCode": 204}
    return _refuse(event, context)


_refuse = serve(unknown_route)
