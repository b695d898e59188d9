"""Sends mutated requests to a local API over sockets, and checks each response against openapi.json."""

import http.client
import json
import random
import re
import socket
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx

from tests.fuzz import mutations
from tests.fuzz.mutations import Ids, Sent
from tests.support import openapi
from tests.support.local_api import LocalApi

KEYS = "fuzz+trusted=sk-fuzz,fuzz=sk-plain,other=sk-other"
# Used in place of a status: the connection was closed without a response, or no response came in time.
CLOSED, SILENT = -1, 0
# A long time: a megabyte of content goes through a mock of DynamoDB, on a machine with other work.
SECONDS = 20.0


@dataclass
class Figures:
    """The results of the requests. `memory` is the local API's peak in bytes, `grown` the growth after a tenth."""

    seed: int
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    memory: int = 0
    grown: int = 0

    def __str__(self) -> str:
        named = {CLOSED: "closed", SILENT: "left incomplete"}
        counts = ", ".join(f"{named.get(status, status)}: {count:,}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.statuses.total():,} requests, seed {self.seed}; {counts}; slowest {self.slowest:.1f} s; "
            f"peak memory {self.memory / 1e6:.0f} MB, {self.grown / 1e6:.0f} MB of it after the first tenth"
        )


def send(api: LocalApi, requests: int, seed: int) -> Figures:
    """Send requests to a local API that was started with KEYS. Raises `AssertionError` for a wrong response."""
    with client(api) as http:
        figures, draw, ids, early = Figures(seed), random.Random(seed), ids_of(http), 0
        for number in range(requests):
            sent = mutations.request(draw, ("sk-fuzz", "sk-plain"), ids)
            raw, whole, valid = mutations.framed(draw, sent)
            began = time.perf_counter()
            address = http.base_url.host, http.base_url.port or 80
            status, headers, body = _exchange(address, raw, sent.method, SECONDS if whole else 0.01)
            figures.slowest = max(figures.slowest, time.perf_counter() - began)
            figures.statuses[status] += 1
            wrong = _wrong(sent, status, headers, body) if valid else f"status {status}" * (status >= 500)
            assert not wrong, f"request {number} of seed {seed}: {wrong}\n{raw[:2000]!r}\n{body[:500]!r}"
            assert status != SILENT or not whole, f"request {number} of seed {seed} has no response\n{raw[:2000]!r}"
            if status == HTTPStatus.OK:
                ids = _ids_after(sent, http, ids)
            if number <= requests // 10:
                early = _peak(api)
    figures.memory, figures.grown = _peak(api), _peak(api) - early
    return figures


def client(api: LocalApi) -> httpx.Client:
    """Return a client that creates the objects for the requests."""
    return httpx.Client(base_url=api.base_url, headers={"authorization": "Bearer sk-plain"})


def ids_of(http: httpx.Client) -> Ids:
    """Create the objects for the requests, and return their ids."""
    other = http.post("/threads", headers={"authorization": "Bearer sk-other"}).json()
    function = {"type": "function", "function": {"name": "f"}}
    assistant = http.post("/assistants", json={"model": "m", "instructions": "x", "tools": [function]}).json()
    body = {"assistant_id": assistant["id"], "tool_choice": "required"}
    run = http.post("/threads/runs", json=body).json()
    path = f"/threads/{run['thread_id']}/runs/{run['id']}"
    while (waiting := http.get(path).json())["status"] != "requires_action":
        time.sleep(0.01)
    step = http.get(f"{path}/steps").json()["data"][0]
    call = waiting["required_action"]["submit_tool_outputs"]["tool_calls"][0]
    found = (other["id"], assistant["id"], run["thread_id"], run["id"], step["id"], call["id"])
    return _with_a_thread(http, Ids("", "", *found))


def _ids_after(sent: Sent, http: httpx.Client, ids: Ids) -> Ids:
    """Return the ids. Replace those of objects that a request has deleted or moved to another status."""
    path = sent.target.partition(b"?")[0]
    if sent.method != "DELETE" and (sent.method != "POST" or b"/runs" not in path):
        return ids
    is_of_the_run = any(one.encode() in path for one in (ids.waiting, ids.assistant)) and not path.endswith(
        ids.run.encode()
    )
    return ids_of(http) if is_of_the_run else _with_a_thread(http, ids)


def _with_a_thread(http: httpx.Client, ids: Ids) -> Ids:
    """Create a thread with a message, and return the ids with the new ones."""
    thread = http.post("/threads").json()
    message = http.post(f"/threads/{thread['id']}/messages", json={"role": "user", "content": "first"}).json()
    return ids._replace(thread=thread["id"], message=message["id"])


def _peak(api: LocalApi) -> int:
    """Return the peak of the local API's memory, in bytes."""
    status = Path(f"/proc/{api.process.pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _exchange(
    address: tuple[str, int], raw: bytes, method: str, seconds: float
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send bytes, maybe no valid request. Return the response's status, headers and body, or why there is none."""
    nothing = http.client.HTTPMessage()
    with socket.create_connection(address, timeout=seconds + 1) as connection:
        with suppress(ConnectionError):  # the response came before everything was sent
            connection.sendall(raw)
        connection.settimeout(seconds)
        try:
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            return response.status, response.headers, response.read()
        except TimeoutError:
            return SILENT, nothing, b""
        except (ConnectionError, http.client.HTTPException):
            return CLOSED, nothing, b""


def _wrong(sent: Sent, status: int, headers: http.client.HTTPMessage, body: bytes) -> str:
    """Return the document's error for a response, or for an accepted request, else an empty string."""
    is_plain = status == HTTPStatus.BAD_REQUEST and headers.get("content-type", "").startswith("text/plain")
    if is_plain or (status == CLOSED and not sent.target.isascii()):
        # uvicorn's own response to bytes that HTTP does not allow. A large body, half sent, can lose its response.
        return ""
    operation = _operation(sent)
    responses = openapi.OPERATIONS[operation]["responses"] if operation else _of_no_operation()
    if str(status) not in responses:
        return f"status {status} is not in the document"
    if status == HTTPStatus.OK and "requestBody" in openapi.OPERATIONS[operation] and sent.body.strip():
        accepted = openapi.OPERATIONS[operation]["requestBody"]["content"]["application/json"]["schema"]
        if errors := openapi.errors(accepted, json.loads(sent.body) or {}):
            return f"it was accepted: {errors[0][:300]}"
    if headers.get("content-encoding") == "gzip" or sent.method == "HEAD":
        return ""
    content = openapi.resolved(responses[str(status)])["content"]
    is_stream = headers.get_content_type() == "text/event-stream" in content
    if is_stream:
        return "" if body.endswith(b"event: done\ndata: [DONE]\n\n") else "the stream has no end"
    errors = openapi.errors(content["application/json"]["schema"], json.loads(body))
    return f"{status}: {errors[0][:300]}" if errors else ""


@cache
def _of_no_operation() -> dict[str, Any]:
    common = openapi.DOCUMENT["components"]["responses"]
    too_large = openapi.OPERATIONS["createMessage"]["responses"]["413"]
    return {
        "401": common["Unauthorized"],
        "404": common["NotFound"],
        "405": common["MethodNotAllowed"],
        "413": too_large,
    }


def _operation(sent: Sent) -> str:
    """Return the operation that a request is for, or an empty string."""
    target = sent.target.partition(b"?")[0]
    # API Gateway passes the rest of such a path decoded.
    path = re.sub(rb"/(runs|assistants)/.*", lambda rest: unquote_to_bytes(rest[0]), target).decode("latin-1")
    return next((name for method, form, name in _forms() if method == sent.method and form.fullmatch(path)), "")


@cache
def _forms() -> list[tuple[str, re.Pattern[str], str]]:
    return [
        (
            method.upper(),
            re.compile(server["url"].rstrip("/") + re.sub(r"\{\w+\}", "[^/]+", path)),
            operation["operationId"],
        )
        for path, methods in openapi.DOCUMENT["paths"].items()
        for method, operation in methods.items()
        for server in operation.get("servers", openapi.DOCUMENT["servers"])
    ]
