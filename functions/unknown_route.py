"""Unknown route: what no other route takes; `$default` of the API."""

import re

from shared import errors
from shared.entry import Answer, serve
from shared.request import Request

_METHODS = [
    (re.compile(r"(?:/v1)?/threads/?"), ("GET", "POST")),
    (re.compile(r"(?:/v1)?/threads/(?!runs/?$)[^/]+/?"), ("GET", "POST", "DELETE")),
    (re.compile(r"(?:/v1)?/threads/[^/]+/messages/?"), ("GET", "POST")),
    (re.compile(r"(?:/v1)?/threads/[^/]+/messages/[^/]+/?"), ("GET", "POST", "DELETE")),
]


def unknown_route(request: Request) -> Answer:
    """Refuse a method that a known path does not have, or a path that this service does not know."""
    for path, methods in _METHODS:
        if path.fullmatch(request.path) and request.method not in methods:
            raise errors.method_not_allowed(request.method, request.path, methods)
    raise errors.unknown_url(request.method, request.path)


handler = serve(unknown_route)
