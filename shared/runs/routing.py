"""Routes of a Lambda function that serves several operations: chooses the operation by method and path."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared import errors, paths
from shared.entry import Handler, Operation, serve_any
from shared.request import Request
from shared.runs import wire_errors

_PREFIX = "(?:/openai)?(?:/v1)?"

# From a path such as `/threads/{threadId}/runs` to the operation of each of its methods.
Routes = Mapping[str, Mapping[str, Operation]]


def serve_routes(name: str, routes: Routes) -> Handler:
    """Return the Lambda handler that serves these routes. It accepts a browser's preflight, which never has a key."""
    handler = serve_any(name, _finder(routes), wire_errors.wire_error)

    def let_preflight_pass(event: dict[str, Any], context: object) -> dict[str, Any]:
        is_preflight = {"origin", "access-control-request-method"} <= event.get("headers", {}).keys()
        if is_preflight and event["requestContext"]["http"]["method"] == "OPTIONS":
            return {"statusCode": 204}
        return handler(event, context)

    return let_preflight_pass


def _finder(routes: Routes) -> Callable[[Request], Operation]:
    patterns = [(_pattern(path), operations) for path, operations in routes.items()]

    def find(request: Request) -> Operation:
        for pattern, operations in patterns:
            match = pattern.fullmatch(request.path)
            if match:
                if request.method not in operations:
                    raise errors.method_not_allowed(request.method, request.path, operations)
                request.parameters = match.groupdict()
                return operations[request.method]
        meant = paths.meant(request.path)
        if meant != request.path and any(pattern.fullmatch(meant) for pattern, _ in patterns):
            raise errors.misspelt_url(request.method, request.path, meant)
        raise errors.unknown_url(request.method, request.path, runs_on=True)

    return find


def _pattern(path: str) -> re.Pattern[str]:
    """Return the pattern of a path in its four forms: at the root, and under /v1, /openai and /openai/v1."""
    return re.compile(_PREFIX + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
