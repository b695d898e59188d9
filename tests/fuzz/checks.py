"""Whether an answer is one that openapi.json has for the request."""

import json
import re
from functools import cache
from http import HTTPStatus
from typing import Any

from tests.fuzz.figures import STATUSES
from tests.fuzz.mutations import Sent
from tests.support import openapi


def wrong(sent: Sent, status: int, headers: dict[str, str], body: bytes) -> str:
    """Say what is wrong with an answer, or with a request that was taken, by the document; else an empty string."""
    if status not in STATUSES:
        return f"status {status}"
    operation = _operation(sent)
    schema = _schema(operation, status)
    if schema is None:
        return f"status {status} is not in the document"
    if status == HTTPStatus.OK and "requestBody" in openapi.OPERATIONS[operation] and sent.body.strip():
        taken = openapi.OPERATIONS[operation]["requestBody"]["content"]["application/json"]["schema"]
        if found := openapi.errors(taken, json.loads(sent.body)):
            return f"it was taken: {found[0][:300]}"
    if headers.get("content-encoding") == "gzip":
        return ""  # what is in it, others look at
    found = openapi.errors(schema, json.loads(body))
    return f"{status}: {found[0][:300]}" if found else ""


@cache
def _schema(name: str, status: int) -> dict[str, Any] | None:
    responses = openapi.DOCUMENT["components"]["responses"]
    unknown = {"401": "Unauthorized", "404": "NotFound", "405": "MethodNotAllowed"}
    if name:
        response = openapi.OPERATIONS[name]["responses"].get(str(status))
    elif str(status) in unknown:
        response = responses[unknown[str(status)]]
    else:
        response = openapi.OPERATIONS["createMessage"]["responses"]["413"] if status == 413 else None
    return openapi.resolved(response)["content"]["application/json"]["schema"] if response else None


def _operation(sent: Sent) -> str:
    """Return the operation that takes a request, or an empty string."""
    path = sent.target.partition(b"?")[0].decode("latin-1")
    for method, pattern, name in _patterns():
        if method == sent.method and pattern.fullmatch(path):
            return name
    return ""


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], str]]:
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


def shown(sent: Sent) -> str:
    return (
        f"{sent.method} {sent.target[:500]!r} {str(sent.headers)[:1000]} {sent.body[:1000]!r} ({len(sent.body)} bytes)"
    )
