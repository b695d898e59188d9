"""openapi.json as tests read it: whether an answer or a body is as it says."""

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
    """Return what the document says of a function: `create_message` is its operation createMessage."""
    first, *others = function.split("_")
    return OPERATIONS[first + "".join(map(str.title, others))]


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document, or what it refers to."""
    found = part
    if "$ref" in part:
        found = DOCUMENT
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return found


def body_errors(function: str, body: object) -> list[str]:
    """Return what is wrong with the body of a request, by the document."""
    return errors(operation_of(function)["requestBody"]["content"]["application/json"]["schema"], body)


def check(function: str, answer: Answer) -> Answer:
    """Return an answer of a function, after a look that it is one that the document has for it."""
    return check_response(resolved(operation_of(function)["responses"][str(answer.status)]), answer)


def check_response(response: dict[str, Any], answer: Answer) -> Answer:
    """Return an answer, after a look that body and headers are those of a response of the document."""
    assert errors(response["content"]["application/json"]["schema"], answer.body) == []
    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    named = {name: resolved(header)["schema"] for name, header in response["headers"].items()}
    assert headers.keys() <= named.keys() <= {*headers, "idempotent-replayed", "openai-poll-after-ms"}
    assert [errors(named[name], value) for name, value in headers.items()] == [[]] * len(headers)
    assert answer.headers["content-type"] == "application/json"
    return answer


def errors(schema: dict[str, Any], value: object) -> list[str]:
    """Return what is wrong with a value, by a schema of the document."""
    key = json.dumps(schema)
    return [error.message for error in _validator(key).iter_errors(value)]


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"components": DOCUMENT["components"], **json.loads(schema)})
