"""The OpenAPI document of this API, put together from the code."""

import json
import tomllib
from pathlib import Path
from typing import Any

from shared import wire
from shared.records import Message, MessageData, Page, Thread
from tools.local import template
from tools.openapi import refusals
from tools.openapi.operations import EXTENSION, OPERATIONS, PARAMETERS, Operation, parameters
from tools.openapi.schemas import schemas

_ROOT = Path(__file__).parents[2]
DOCUMENT = _ROOT / "openapi.json"

_DESCRIPTION = """\
The threads and messages of the Assistants v2 API, on an AWS account of one's own. Each path stands under every server \
listed here, `/openapi.json` under the first two. What carries `x-extension` is not in the Assistants v2 API; it only \
accepts more.

A path that is not listed answers 404 with the code `unknown_url`, and a method that a path does not have answers 405 \
with the header `allow`. Unknown query parameters are ignored, an empty one counts as absent, and a repeated one is \
refused. A body is JSON in UTF-8, whatever its content type says; unknown fields are refused at every level."""

_SERVERS = [
    {"url": "/v1"},
    {"url": "/", "description": "The same without a prefix."},
    {"url": "/openai/v1", "description": "Where clients of Azure look for it."},
    {"url": "/openai", "description": "Where older clients of Azure look for it, with `?api-version=`."},
]
_HEADERS: dict[str, dict[str, Any]] = {
    "x-request-id": {
        "description": "Stands in the log too.",
        "schema": {"type": "string", "pattern": "^req_[0-9a-f]{32}$"},
    },
    "openai-processing-ms": {
        "description": "Milliseconds that the function took.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "idempotent-replayed": EXTENSION
    | {
        "description": "The answer is that of an earlier request with the same Idempotency-Key.",
        "schema": {"const": "true"},
    },
    "allow": {"description": "The methods that the path has.", "schema": {"type": "string"}},
    "retry-after": {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "x-should-retry": {"description": "SDKs do not send the request again.", "schema": {"const": "false"}},
}
_ALWAYS = {name: {"$ref": f"#/components/headers/{name}"} for name in ("x-request-id", "openai-processing-ms")}
_REPLAYED = {"idempotent-replayed": {"$ref": "#/components/headers/idempotent-replayed"}}

_THREAD = Thread("thread_01ARZ3NDEKTSV4RRFFQ69G5FAV", 1788264000, '{"user_id":"u-17"}')
_MESSAGE = Message(
    "msg_01ARZ3NDEKTSV4RRFFQ69G5FAW",
    _THREAD.id,
    1788264000,
    MessageData("user", '[{"type":"text","text":{"value":"How does AI work?","annotations":[]}}]'),
)
_SAMPLES = {
    "MessageObject": wire.message_json(_MESSAGE),
    "ThreadObject": wire.thread_json(_THREAD),
    "MessageList": wire.list_json(Page([_MESSAGE], has_more=False)),
    "ThreadList": wire.list_json(Page([_THREAD], has_more=False)),
    "DeletedMessage": wire.deleted_json(_MESSAGE.id, "thread.message.deleted"),
    "DeletedThread": wire.deleted_json(_THREAD.id, "thread.deleted"),
}


def text() -> str:
    """Return the document as it stands in the repository."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> dict[str, Any]:
    """Return the document: OpenAPI 3.1."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Message API",
            "version": project["version"],
            "description": _DESCRIPTION,
            "license": {"name": project["license"], "identifier": project["license"]},
        },
        "servers": _SERVERS,
        "security": [{"bearer": []}, {"apiKey": []}],
        "tags": [{"name": "Messages"}, {"name": "Threads"}, {"name": "Description"}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "api-key", "description": "As Azure has it."}
                | EXTENSION,
            },
            "parameters": PARAMETERS,
            "headers": _HEADERS,
            "schemas": schemas(),
            "responses": refusals.components(_ALWAYS),
            "examples": refusals.examples(),
        },
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for function in template.load().functions:
        name = function.handler.split(".")[1]
        for route in function.routes:
            if route.path.startswith("/threads") and name in OPERATIONS:
                paths.setdefault(route.path, {})[route.method.lower()] = _operation(name, route.path)
    return dict(sorted(paths.items())) | {"/openapi.json": {"get": _retrieve_openapi()}}


def _operation(name: str, path: str) -> dict[str, Any]:
    operation = OPERATIONS[name]
    described: dict[str, Any] = {
        "operationId": _camel(name),
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": parameters(path, operation),
    }
    if operation.bodies:
        described["requestBody"] = _body(name, operation)
    headers = _ALWAYS | _REPLAYED if "IdempotencyKey" in operation.parameters else _ALWAYS
    success = {
        "description": "Done.",
        "headers": headers,
        "content": _json(f"#/components/schemas/{operation.answer}", json.loads(_SAMPLES[operation.answer])),
    }
    described["responses"] = {"200": success} | refusals.responses((*refusals.ALWAYS, *operation.refusals), _ALWAYS)
    return described | (EXTENSION if operation.extension else {})


def _body(name: str, operation: Operation) -> dict[str, Any]:
    """Return what an operation takes; its example is the body of the function's sample event."""
    event = json.loads((_ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    schemas = [{"$ref": f"#/components/schemas/{body}"} for body in operation.bodies]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    content = {"application/json": {"schema": schema, "example": json.loads(event["body"])}}
    return {"required": operation.needs_body, "content": content}


def _retrieve_openapi() -> dict[str, Any]:
    return EXTENSION | {
        "operationId": "retrieveOpenapi",
        "summary": "Retrieve this document.",
        "tags": ["Description"],
        "security": [],
        "servers": _SERVERS[:2],
        "responses": {
            "200": {
                "description": "Done.",
                "headers": _ALWAYS,
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        }
        | refusals.responses((), {}),
    }


def _json(reference: str, example: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": reference}, "example": example}}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))
