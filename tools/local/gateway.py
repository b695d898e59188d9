"""The HTTP API in one process: routes requests to handlers as API Gateway and Lambda do, limits included."""

import importlib
import json
import re
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tools.local import cors, http_payload
from tools.local.lambda_runtime import LambdaContext
from tools.local.template import Cors, Function, Route

# Bytes; from the pages "Quotas" of API Gateway's HTTP APIs and of Lambda.
MAX_BODY = 10 * 1024 * 1024
MAX_EVENT = 6_291_456
MAX_ANSWER = 6_291_556

# What API Gateway responds by itself, in a shape of its own. A function past its timeout is a 500, API Gateway's own
# limit of 30 seconds is a 503, and a 504 was never seen from an HTTP API.
OWN_ANSWERS = {
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_REPLAY_HEADER = "x-local-gateway"
_NO_TURN = nullcontext()

Handler = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class _Entry:
    route: Route
    pattern: re.Pattern[str]
    function: Function
    handler: Handler


def gateway(
    functions: tuple[Function, ...],
    at_once: int,
    turn: AbstractContextManager[Any] = _NO_TURN,
    allowed: Cors | None = None,
) -> ASGIApp:
    """Return the ASGI application that serves these functions' routes, at most `at_once` handlers at a time.

    `turn` is entered for each run of a handler, which may have to wait for what else uses the table. `allowed` is what
    pages of other origins may do, if anything. It imports the handlers, so their environment must be set before. For
    each request one line goes to stderr: method, path, status and milliseconds, and nothing else of the request.
    """
    entries = _entries(functions)
    slots = anyio.Semaphore(at_once)
    threads = anyio.CapacityLimiter(at_once + 8)  # a handler past its time-out keeps its thread

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, receive)
        request_id = http_payload.new_request_id()
        try:
            response = await respond(request, request_id)
        except ClientDisconnect:
            return
        response.headers["apigw-requestid"] = request_id
        milliseconds = (time.perf_counter() - started) * 1000
        _say(f"{request.method} {http_payload.raw_path(request)} {response.status_code} {milliseconds:.0f} ms")
        await response(scope, receive, send)

    async def respond(request: Request, request_id: str) -> Response:
        body = await _read_body(request)
        if body is None:
            return _own_answer(413)
        if answered := _answer_by_itself(request, allowed):
            return answered
        entry, target = _find(entries, request)
        event = http_payload.encode(http_payload.request_event(request, body, target, request_id))
        if len(event) > MAX_EVENT:
            return _own_answer(413)
        finish = partial(cors.mark, allowed, request)
        async with slots:
            try:
                with anyio.fail_after(entry.function.timeout):
                    return await anyio.to_thread.run_sync(
                        _invoke, entry, event, turn, finish, abandon_on_cancel=True, limiter=threads
                    )
            except TimeoutError:
                _say(f"{entry.function.name} timed out after {entry.function.timeout:g} s")
                return _own_answer(500)

    return serve


def _entries(functions: tuple[Function, ...]) -> list[_Entry]:
    entries = [
        _Entry(route, _pattern(route.path), function, _import(function.handler))
        for function in functions
        for route in function.routes
    ]
    # The most specific route first: fewer parameters, then the longer path; $default takes what is left.
    return sorted(entries, key=lambda entry: _rank(entry.route))


def _rank(route: Route) -> tuple[bool, int, int, bool]:
    return route.path == "$default", route.path.count("{"), -route.path.count("/"), route.method == "ANY"


def _pattern(path: str) -> re.Pattern[str]:
    if path == "$default":
        return re.compile(".*", re.DOTALL)
    parts = re.split(r"\{(\w+)(\+?)\}", path)
    pattern = re.escape(parts[0])
    for name, greedy, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + re.escape(text)
    return re.compile(pattern)


def _import(handler: str) -> Handler:
    module, _, name = handler.rpartition(".")
    function: Handler = getattr(importlib.import_module(module), name)
    return function


def _find(entries: list[_Entry], request: Request) -> tuple[_Entry, http_payload.Target]:
    path = http_payload.raw_path(request)
    for entry in entries:
        if entry.route.method in (request.method, "ANY") and (match := entry.pattern.fullmatch(path)):
            parameters = {name: unquote(value) for name, value in match.groupdict().items()}
            return entry, http_payload.Target(entry.route, parameters)
    raise LookupError("the template has no $default route")


def _answer_by_itself(request: Request, allowed: Cors | None) -> Response | None:
    """Answer what API Gateway does not hand to a function: a preflight; here also what a header asks for."""
    replayed = request.headers.get(_REPLAY_HEADER, "")
    if replayed in map(str, OWN_ANSWERS):
        return _own_answer(int(replayed))
    return cors.preflight(allowed, request)


async def _read_body(request: Request) -> bytes | None:
    """Return the body, or None for one that is too long: read to its end, or the answer would not arrive."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        else:
            chunks.clear()
    return b"".join(chunks) if size <= MAX_BODY else None


def _invoke(
    entry: _Entry, event: bytes, turn: AbstractContextManager[Any], finish: Callable[[Response], Response]
) -> Response:
    """Run a handler. Whatever goes wrong in it, the client sees API Gateway's 500 and nothing of why."""
    try:
        with turn:
            result = entry.handler(json.loads(event), LambdaContext(entry.function))
        if len(http_payload.encode(result)) > MAX_ANSWER:
            _say(f"{entry.function.name} returned more than {MAX_ANSWER} bytes")
            return _own_answer(500)
        return finish(http_payload.answer(result))
    except Exception as error:  # noqa: BLE001 - the runtime's own boundary
        # The place and the kind only: an exception's text may hold what a client sent.
        place = traceback.extract_tb(error.__traceback__)[-1]
        _say(f"{entry.function.name} raised {type(error).__name__} at {place.filename}:{place.lineno}")
        return _own_answer(500)


def _own_answer(status: int) -> Response:
    return JSONResponse({"message": OWN_ANSWERS[status]}, status)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
