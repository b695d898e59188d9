"""The HTTP API in one process: routes requests to handlers as API Gateway and Lambda do, limits included."""

import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import anyio
import anyio.to_thread
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Router
from starlette.routing import Route as HttpRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from tools.local import cors, http_payload
from tools.local.lambda_runtime import LambdaContext, handler, say, say_raised
from tools.local.template import Cors, Function, Route

# In bytes, from the pages "Quotas" of API Gateway's HTTP APIs and of Lambda.
MAX_BODY = 10 * 1024 * 1024
MAX_EVENT = 6_291_456
MAX_ANSWER = 6_291_556

# The responses of API Gateway itself, which have another shape than those of the functions. It responds 500 if a
# function takes longer than its timeout, and 503 after its own limit of 30 seconds. An HTTP API was never seen to
# respond 504.
OWN_ANSWERS = {
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_STREAMS_AT_ONCE = 1_000
_REPLAY_HEADER = "x-local-gateway"


class _Greedy(StringConvertor):
    """`{path+}` of API Gateway: the rest of the path, at least one character."""

    regex = ".+"


register_url_convertor("greedy", _Greedy())


class _Capacity:
    """Limits how many handlers run at a time."""

    def __init__(self, at_once: int, ending: threading.Event) -> None:
        self._slots = anyio.Semaphore(at_once)
        self._threads = anyio.CapacityLimiter(at_once + 8)  # a handler past its timeout keeps its thread
        self._streams = anyio.CapacityLimiter(_STREAMS_AT_ONCE)
        self._ending = ending

    async def run(self, work: Callable[[], Response], seconds: float) -> Response:
        """Run work in a thread. Raises TimeoutError after these seconds; the work then continues."""
        async with self._slots:
            with anyio.fail_after(seconds):
                return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)

    async def stream(self, texts: Iterator[str]) -> AsyncIterator[str]:
        """Yield texts as they come, until the API ends. Separate threads wait for them, without a time limit.

        An empty text means that there is nothing new. It allows the server to notice that a client has gone away.
        """
        text: str | None = ""
        while text is not None and not self._ending.is_set():
            yield text
            text = await anyio.to_thread.run_sync(next, texts, None, limiter=self._streams)


def gateway(
    functions: tuple[Function, ...], at_once: int, allowed: Cors | None = None, ending: threading.Event | None = None
) -> ASGIApp:
    """Return the ASGI application that serves these functions' routes, at most `at_once` handlers at a time.

    `allowed` describes what pages of other origins can do. When `ending` is set, streams end. The application imports
    the handlers, so their environment must be set before. For each request it writes one line to stderr: method, path,
    status and milliseconds, nothing else.
    """
    capacity = _Capacity(at_once, ending or threading.Event())
    endpoints = [_Endpoint(route, function, capacity, allowed) for function in functions for route in function.routes]
    # The most specific route comes first: fewer parameters, then the longer path.
    specific = sorted((endpoint for endpoint in endpoints if endpoint.route.path != "$default"), key=_rank)
    (default,) = (endpoint for endpoint in endpoints if endpoint.route.path == "$default")
    # The mount also takes requests whose path has a route for another method only. Else Starlette would respond 405.
    routes = [*map(_http_route, specific), Mount("", default)]
    router = Router(routes, redirect_slashes=False, default=default)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        # API Gateway matches the path as the client sent it: an encoded slash is part of a segment.
        await router({**scope, "path": http_payload.raw_path(Request(scope))}, receive, send)

    return serve


def _rank(endpoint: "_Endpoint") -> tuple[int, int, bool]:
    route = endpoint.route
    return route.path.count("{"), -route.path.count("/"), route.method == "ANY"


def _http_route(endpoint: "_Endpoint") -> BaseRoute:
    method, path = endpoint.route.method, re.sub(r"\{(\w+)\+\}", r"{\1:greedy}", endpoint.route.path)
    route = HttpRoute(path, endpoint, methods=None if method == "ANY" else [method])
    if route.methods:
        route.methods &= {method}  # Starlette adds HEAD to GET, API Gateway does not
    return route


class _Endpoint:
    """The ASGI application of one route: invokes its function."""

    def __init__(self, route: Route, function: Function, capacity: _Capacity, allowed: Cors | None) -> None:
        self.route = route
        self._function = function
        self._handler = handler(function)
        self._capacity = capacity
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, receive)
        request_id = http_payload.new_request_id()
        try:
            response = await self._respond(request, request_id)
        except ClientDisconnect:
            return
        response.headers["apigw-requestid"] = request_id
        milliseconds = (time.perf_counter() - started) * 1000
        say(f"{request.method} {http_payload.raw_path(request)} {response.status_code} {milliseconds:.0f} ms")
        await response(scope, receive, send)

    async def _respond(self, request: Request, request_id: str) -> Response:
        body = await _read_body(request)
        if body is None:
            return _own_response(413)
        if response := _without_function(request, self._allowed):
            return response
        event = http_payload.encode(http_payload.request_event(request, body, self.route, request_id))
        if len(event) > MAX_EVENT:
            return _own_response(413)
        try:
            return await self._capacity.run(partial(self._invoke, event, request), self._function.timeout)
        except TimeoutError:
            say(f"{self._function.name} timed out after {self._function.timeout:g} s")
            return _own_response(500)

    def _invoke(self, event: bytes, request: Request) -> Response:
        """Run the handler. If it fails, the client sees API Gateway's 500 without the reason."""
        try:
            result = self._handler(json.loads(event), LambdaContext(self._function))
            if isinstance(result, dict) and isinstance(texts := result.get("body"), Iterator):
                stream = self._capacity.stream(texts)
                return cors.mark(self._allowed, request, StreamingResponse(stream, headers=result["headers"]))
            if len(http_payload.encode(result)) > MAX_ANSWER:
                say(f"{self._function.name} returned more than {MAX_ANSWER} bytes")
                return _own_response(500)
            return cors.mark(self._allowed, request, http_payload.response(result))
        except Exception as error:  # noqa: BLE001 - the runtime's own boundary
            say_raised(self._function.name, error)
            return _own_response(500)


def _without_function(request: Request, allowed: Cors | None) -> Response | None:
    """Return the response of API Gateway itself: to a preflight, or with the status that the replay header names."""
    replayed = request.headers.get(_REPLAY_HEADER, "")
    if replayed in map(str, OWN_ANSWERS):
        return _own_response(int(replayed))
    return cors.preflight(allowed, request)


async def _read_body(request: Request) -> bytes | None:
    """Return the body, or None if it is too long.

    Even a body that is too long is read to its end. Otherwise the client would not see the response.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        else:
            chunks.clear()
    return b"".join(chunks) if size <= MAX_BODY else None


def _own_response(status: int) -> Response:
    return JSONResponse({"message": OWN_ANSWERS[status]}, status)
