"""Unknown route: requests that match no other route; `$default` of the API."""

import re
from typing import Any

from shared import errors, paths
from shared.entry import Response, serve
from shared.request import Request
from shared.settings import settings

_PREFIX = "(?:/openai)?(?:/v1)?"
_THREAD = f"{_PREFIX}/threads/[^/]+"
_METHODS = [
    (re.compile(f"{_PREFIX}/threads"), ("GET", "POST")),
    (re.compile(f"{_PREFIX}/threads/(?!runs$)[^/]+"), ("GET", "POST", "DELETE")),
    (re.compile(f"{_THREAD}/messages"), ("GET", "POST")),
    (re.compile(f"{_THREAD}/messages/[^/]+"), ("GET", "POST", "DELETE")),
    (re.compile(r"(?:/v1)?/openapi\.json"), ("GET",)),
]
# Only when runs are on. Requests for these paths reach their own functions, except requests for `/threads/runs`.
_METHODS_OF_RUNS = [
    (re.compile(f"{_PREFIX}/threads/runs"), ("POST",)),
    (re.compile(f"{_PREFIX}/assistants"), ("GET", "POST")),
    (re.compile(f"{_PREFIX}/assistants/[^/]+"), ("GET", "POST", "DELETE")),
    (re.compile(f"{_THREAD}/runs"), ("GET", "POST")),
    (re.compile(f"{_THREAD}/runs/[^/]+"), ("GET", "POST")),
    (re.compile(f"{_THREAD}/runs/[^/]+/(?:cancel|submit_tool_outputs)"), ("POST",)),
    (re.compile(f"{_THREAD}/runs/[^/]+/steps(?:/[^/]+)?"), ("GET",)),
]


def unknown_route(request: Request) -> Response:
    """Refuse a method that a known path does not have, or a path that this service does not have."""
    methods = _methods(request.path)
    if methods and request.method not in methods:
        raise errors.method_not_allowed(request.method, request.path, methods)
    meant = paths.meant(request.path)
    if meant != request.path and _methods(meant):
        raise errors.misspelt_url(request.method, request.path, meant)
    raise errors.unknown_url(request.method, request.path, runs_on=settings().runs_on)


def _methods(path: str) -> tuple[str, ...]:
    """Return the methods of a path; none when this service does not have it."""
    known = [*_METHODS, *(_METHODS_OF_RUNS if settings().runs_on else ())]
    return next((methods for pattern, methods in known if pattern.fullmatch(path)), ())


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Accept a browser's preflight, which never has a key. API Gateway adds the headers that allow or refuse."""
    is_preflight = {"origin", "access-control-request-method"} <= event.get("headers", {}).keys()
    if is_preflight and event["requestContext"]["http"]["method"] == "OPTIONS":
        return {"statusCode": 204}
    return _refuse(event, context)


_refuse = serve(unknown_route)
