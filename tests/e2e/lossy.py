"""A proxy of the local API that loses responses. The local API processes the request; the client gets no response."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support import http_stub
from tests.support.http_stub import Request, Response

_KEPT = {"authorization", "content-type", "idempotency-key", "x-stainless-retry-count"}


@contextmanager
def losing_answers(base_url: str) -> Iterator[str]:
    """Yield the base URL of a proxy that closes the connection instead of responding.

    It does so for the first request with each value of the header `x-lose`. In every response that it passes on, the
    header `x-attempt` is the number of requests with that value so far.
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
