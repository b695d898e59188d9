"""The paths under `/_local`, which the deployed API does not have: events come out here, and commands go in."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tools.local.event_sources import EventSide

# A message of SQS ends at 1 MiB.
_MAX_COMMAND = 1_048_576
_SECONDS = 30.0


def before(api: ASGIApp, side: EventSide) -> ASGIApp:
    """Return the application that serves these paths itself and leaves all others to the API."""
    routes = [
        Route("/_local/events", _events),
        Route("/_local/commands", _command, methods=["POST"]),
        Route("/_local/dead_letters", _dead_letters),
    ]
    # There are no keys here, so a page in a browser must not get in: neither by a name of its own for this machine,
    # nor, since commands have to be application/json, by a request that needs no permission.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    own = Starlette(routes=routes, middleware=[hosts])
    own.state.side = side

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await (own if scope["path"].startswith("/_local/") else api)(scope, receive, send)

    return serve


async def _events(request: Request) -> Response:
    """Answer events as they happen, as server-sent events; each one's data is one line of JSON."""
    side: EventSide = request.app.state.side
    if not side.has_stream:
        return _said(HTTPStatus.NOT_FOUND, "the table has no stream that can be read, so there are no events")
    events = side.subscribers.subscribe()

    async def lines() -> AsyncIterator[str]:
        yield ": events from now on\n\n"
        async for event in events:
            yield f"data: {event}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _command(request: Request) -> Response:
    """Queue a command and answer what became of it: 200 done, 422 rejected, 202 still being tried."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return _said(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send a command as application/json")
    body = await request.body()
    if len(body) > _MAX_COMMAND:
        return _said(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a queue takes 1,048,576 bytes; send this as a request")
    side: EventSide = request.app.state.side
    message = side.command(body.decode(errors="replace"))
    settled, _ = await asyncio.wait([asyncio.wrap_future(message.settled)], timeout=_SECONDS)
    if not settled:
        return _said(HTTPStatus.ACCEPTED, "the command is still being tried")
    letter = message.settled.result()
    if not letter:
        return _said(HTTPStatus.OK, "done")
    told = {"message": f"dead letter in {letter.queue}"} | (json.loads(letter.error) if letter.error else {})
    return JSONResponse(told, HTTPStatus.UNPROCESSABLE_ENTITY)


async def _dead_letters(request: Request) -> Response:
    side: EventSide = request.app.state.side
    return JSONResponse([vars(letter) for letter in side.queues.dead_letters])


def _said(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
