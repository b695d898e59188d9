"""A front of the local API that loses answers: what was asked is done, and the client never hears of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support import http_stub
from tests.support.http_stub import Request, Response

_KEPT = {"authorization", "content-type", "idempotency-key", "x-stainless-retry-count"}


@contextmanager
def losing_answers(base_url: str) -> Iterator[str]:
    """Yield the base URL of a front that closes the connection instead of answering.

    It does so for the first request of each value of the header `x-lose`. Every answer that it lets through
    tells by the header `x-attempt` how many requests with that value have come.
    """
    attempts: Counter[str] = Counter()

    def respond(request: Request) -> Response | None:
        token = request.headers.get("x-lose", "")
        attempts[token] += 1
        headers = {name: value for name, value in request.headers.items() if name in _KEPT}
        answer = httpx.post(base_url + request.target, content=request.body, headers=headers)
        if token and attempts[token] == 1 and not token.startswith("only-count"):
            return None
        passed = ("content-type", "x-should-retry", "idempotent-replayed")
        headers = {name: answer.headers[name] for name in passed if name in answer.headers}
        return Response(answer.status_code, answer.content, headers | {"x-attempt": str(attempts[token])})

    with http_stub.serving(respond) as url:
        yield url
