"""Unknown route: requests that match no other route; `$default` of the API."""

import re
from typing import Any

from shared import errors
from shared.entry import Response, serve
from shared.request import Request
from shared.settings import settings

_THREADS = "(?:/openai)?(?:/v1)?/threads"
_RUNS = re.compile(rf"{_THREADS}/runs")
_METHODS = [
    (re.compile(_THREADS), ("GET", "POST")),
    (re.compile(rf"{_THREADS}/(?!runs$)[^/]+"), ("GET", "POST", "DELETE")),
    (re.compile(rf"{_THREADS}/[^/]+/messages"), ("GET", "POST")),
    (re.compile(rf"{_THREADS}/[^/]+/messages/[^/]+"), ("GET", "POST", "DELETE")),
    (re.compile(r"(?:/v1)?/openapi\.json"), ("GET",)),
]
_SLASHES = re.compile("/{2,}")
_VERSIONS = re.compile("(?:/v1)+(?=/)")
# Where a client has left a thread's id empty: the path without the second slash is a thread's.
_NO_THREAD_ID = re.compile("/threads/messages(?:/|$)")


def unknown_route(request: Request) -> Response:
    """Refuse a method that a known path does not have, or a path that this service does not have."""
    methods = _methods(request.path)
    if methods and request.method not in methods:
        raise errors.method_not_allowed(request.method, request.path, methods)
    meant = _VERSIONS.sub("/v1", _SLASHES.sub("/", request.path).rstrip("/"))
    if meant != request.path and _methods(meant) and not _NO_THREAD_ID.search(meant):
        raise errors.misspelt_url(request.method, request.path, meant)
    raise errors.unknown_url(request.method, request.path, runs_on=settings().runs_on)


def _methods(path: str) -> tuple[str, ...]:
    """Return the methods of a path; none when this service does not have it."""
    if settings().runs_on and _RUNS.fullmatch(path):
        return ("POST",)
    return next((methods for pattern, methods in _METHODS if pattern.fullmatch(path)), ())


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Let a browser's preflight pass: it never has a key. API Gateway adds the headers that allow or refuse."""
    is_preflight = {"origin", "access-control-request-method"} <= event.get("headers", {}).keys()
    if is_preflight and event["requestContext"]["http"]["method"] == "OPTIONS":
        return {"statusCode": 204}
    return _refuse(event, context)


_refuse = serve(unknown_route)
