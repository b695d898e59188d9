"""Checks responses and bodies against openapi.json."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.client import Answer
from tests.support.local_api import ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}


def operation_of(function: str) -> dict[str, Any]:
    """Return the document's operation of a function: for `create_message`, the operation createMessage."""
    first, *others = function.split("_")
    return OPERATIONS[first + "".join(map(str.title, others))]


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document. If it is a reference, return the part to which it refers."""
    found = part
    if "$ref" in part:
        found = DOCUMENT
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return found


def body_errors(function: str, body: object) -> list[str]:
    """Return the errors of a request's body against the document."""
    return errors(operation_of(function)["requestBody"]["content"]["application/json"]["schema"], body)


def check(function: str, answer: Answer) -> Answer:
    """Assert that the document has this response for this function, and return the response."""
    return check_response(resolved(operation_of(function)["responses"][str(answer.status)]), answer)


def check_response(response: dict[str, Any], answer: Answer) -> Answer:
    """Assert that body and headers match a response of the document, and return the response."""
    assert errors(response["content"]["application/json"]["schema"], answer.body) == []
    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    named = {name: resolved(header)["schema"] for name, header in response["headers"].items()}
    assert headers.keys() <= named.keys() <= {*headers, "idempotent-replayed", "openai-poll-after-ms"}
    assert [errors(named[name], value) for name, value in headers.items()] == [[]] * len(headers)
    assert answer.headers["content-type"] == "application/json"
    return answer


def errors(schema: dict[str, Any], value: object) -> list[str]:
    """Return the errors of a value against a schema of the document."""
    key = json.dumps(schema)
    return [error.message for error in _validator(key).iter_errors(value)]


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"components": DOCUMENT["components"], **json.loads(schema)})
