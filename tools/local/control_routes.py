"""The paths under `/_local`, which the deployed API does not have: they return events and take commands."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from tools.local.event_sources import EventSide

# A message of SQS ends at 1 MiB.
_MAX_COMMAND = 1_048_576
_SECONDS = 30.0


def mount(side: EventSide) -> Mount:
    """Return the routes under `/_local`."""
    routes = [
        Route("/events", _events),
        Route("/commands", _command, methods=["POST"]),
        Route("/dead_letters", _dead_letters),
    ]
    # These paths need no key, so pages in a browser must not reach them. Requests for another host name are refused.
    # A page cannot send application/json without a preflight.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    application = Starlette(routes=routes, middleware=[hosts])
    application.state.side = side
    return Mount("/_local", application)


async def _events(request: Request) -> Response:
    """Send events as they happen, as server-sent events. The data of each event is one line of JSON."""
    side: EventSide = request.app.state.side
    if not side.has_stream:
        return _message(HTTPStatus.NOT_FOUND, "the table has no stream that can be read, so there are no events")
    events = side.subscribers.subscribe()

    async def lines() -> AsyncIterator[str]:
        yield ": events from now on\n\n"
        async for event in events:
            yield f"data: {event}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _command(request: Request) -> Response:
    """Queue a command and respond with its result: 200 if it is done, 422 if rejected, 202 if not yet known."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return _message(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send a command as application/json")
    body = await request.body()
    if len(body) > _MAX_COMMAND:
        return _message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a queue takes 1,048,576 bytes; send this as a request")
    side: EventSide = request.app.state.side
    message = side.command(body.decode(errors="replace"))
    settled, _ = await asyncio.wait([asyncio.wrap_future(message.settled)], timeout=_SECONDS)
    if not settled:
        return _message(HTTPStatus.ACCEPTED, "the command is still being tried")
    letter = message.settled.result()
    if not letter:
        return _message(HTTPStatus.OK, "done")
    result = {"message": f"dead letter in {letter.queue}"} | (json.loads(letter.error) if letter.error else {})
    return JSONResponse(result, HTTPStatus.UNPROCESSABLE_ENTITY)


async def _dead_letters(request: Request) -> Response:
    side: EventSide = request.app.state.side
    return JSONResponse([vars(letter) for letter in side.queues.dead_letters])


def _message(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
