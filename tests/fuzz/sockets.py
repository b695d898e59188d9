"""Mutated requests to a local API over sockets, framed as HTTP should be or not."""

import random
import re
import socket
import time
from contextlib import suppress
from http import HTTPStatus

import httpx

from tests.fuzz import frames, mutations
from tests.fuzz.figures import CLOSED, SECONDS, SILENT, STATUSES, Figures, WrongAnswerError, peak
from tests.fuzz.mutations import Ids
from tests.support.local_api import LocalApi

_GO_ON = re.compile(rb"\AHTTP/1\.1 100 .*?\r\n\r\n", re.DOTALL)


def send(api: LocalApi, requests: int, seed: int) -> Figures:
    """Send requests to a local API over sockets, framed as HTTP should be or not. Raises `WrongAnswerError`."""
    figures = Figures(seed)
    draw = random.Random(seed)
    host, port = api.base_url.removesuffix("/v1").removeprefix("http://").split(":")
    started = time.monotonic()
    early = 0
    ids = _things_of(api)
    while figures.requests < requests:
        sent = mutations.request(draw, (api.api_key,), ids)
        raw, whole = frames.framed(draw, sent)
        began = time.perf_counter()
        status = _exchange((host, int(port)), raw, SECONDS if whole else 0.01)
        figures.add(status, time.perf_counter() - began)
        if status not in {*STATUSES, CLOSED, SILENT} or (status == SILENT and whole):
            raise WrongAnswerError(f"request {figures.requests} of seed {seed} over a socket: {status}\n{raw[:2000]!r}")
        if status == HTTPStatus.OK and sent.method == "DELETE":
            ids = _things_of(api)
        if not early or figures.requests <= requests / 10:
            early = peak(api.process.pid)
    figures.seconds = time.monotonic() - started
    figures.memory = peak(api.process.pid)
    figures.grown = figures.memory - early
    return figures


def _things_of(api: LocalApi) -> Ids:
    with httpx.Client(base_url=api.base_url, headers={"authorization": f"Bearer {api.api_key}"}) as client:
        thread_id = client.post("/threads").json()["id"]
        message = client.post(f"/threads/{thread_id}/messages", json={"role": "user", "content": "first"}).json()
    return Ids(thread_id, message["id"], "thread_00000000000000000000000000")


def _exchange(address: tuple[str, int], raw: bytes, seconds: float) -> int:
    """Send what is no request perhaps, and return the status of the answer, or why there is none."""
    answer = b""
    with socket.create_connection(address, timeout=seconds + 1) as connection:
        with suppress(ConnectionError):  # answered before all was sent
            connection.sendall(raw)
        connection.settimeout(seconds)
        try:
            while b"\r\n\r\n" not in answer:
                part = connection.recv(65_536)
                if not part:
                    return CLOSED
                # Whoever asked for it is told to go on, which is not the answer.
                answer = _GO_ON.sub(b"", answer + part)
        except TimeoutError:
            return SILENT
        except ConnectionError:
            return CLOSED
    found = re.match(rb"HTTP/1\.[01] ([0-9]{3}) ", answer)
    return int(found[1]) if found else CLOSED
