"""Mutated requests through the gateway of the local API, in this process."""

import os
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stderr
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

import anyio
from starlette.types import ASGIApp, Message

from tests.fuzz import checks, mutations
from tests.fuzz.figures import SECONDS, Figures, WrongAnswerError, peak
from tests.fuzz.mutations import Ids, Sent
from tests.support.client import Client
from tools.local import template
from tools.local.gateway import gateway

_CHUNK = 250


def send(requests: int, seed: int, tidied: Callable[[], AbstractContextManager[None]]) -> Figures:
    """Send requests; the environment leads to the table, and `tidied` is entered for each few hundred of them.

    Raises `WrongAnswerError`.
    """
    application = gateway(template.load().functions, at_once=1)
    figures = Figures(seed)
    draw = random.Random(seed)
    started = time.monotonic()
    early = 0
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        while figures.requests < requests:
            with tidied():
                anyio.run(_chunk, application, draw, figures, min(_CHUNK, requests - figures.requests))
            if not early or figures.requests <= requests / 10:
                early = peak()
    figures.seconds = time.monotonic() - started
    figures.memory, figures.grown = peak(), peak() - early
    return figures


async def _chunk(application: ASGIApp, draw: random.Random, figures: Figures, requests: int) -> None:
    client = Client(trusted=True)
    secrets, foreign = (client.secret, Client(project=client.project).secret), Client().thread()
    ids = _things(client, foreign)
    for _ in range(requests):
        sent = mutations.request(draw, secrets, ids)
        started = time.perf_counter()
        status, headers, body = await _send(application, sent)
        seconds = time.perf_counter() - started
        figures.add(status, seconds)
        wrong = checks.wrong(sent, status, headers, body) or ("too slow" if seconds > SECONDS else "")
        if wrong:
            raise WrongAnswerError(
                f"request {figures.requests} of seed {figures.seed}: {wrong}\n{checks.shown(sent)}\n{body[:500]!r}"
            )
        if sent.method == "DELETE" and status == HTTPStatus.OK:
            ids = _things(client, foreign)


def _things(client: Client, foreign: str) -> Ids:
    thread_id = client.thread()
    return Ids(thread_id, client.message(thread_id)["id"], foreign)


async def _send(application: ASGIApp, sent: Sent) -> tuple[int, dict[str, str], bytes]:
    path, _, query = sent.target.partition(b"?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "headers": [(name.encode(), value.strip()) for name, value in sent.headers],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    answered: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": sent.body, "more_body": False}

    async def send(message: Message) -> None:
        answered.append(message)

    await application(scope, receive, send)
    start, *parts = answered
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return start["status"], headers, b"".join(part.get("body", b"") for part in parts)
