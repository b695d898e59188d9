"""Makes the OpenAPI document of this API from the code."""

import json
import tomllib
from pathlib import Path
from typing import Any

from shared import wire
from shared.records import Message, MessageData, Page, Thread
from shared.runs import wire as wire_of_runs
from shared.runs.records import Assistant, AssistantData, Run, RunSettings, Step, Usage
from tools.local import template
from tools.openapi import refusals, responses
from tools.openapi.operations import (
    EXTENSION,
    OPERATIONS,
    OPERATIONS_OF_RUNS,
    PARAMETERS,
    Operation,
    parameters,
)
from tools.openapi.routes import ROUTES
from tools.openapi.schemas import STREAMED, schemas

_ROOT = Path(__file__).parents[2]
DOCUMENT = _ROOT / "openapi.json"

_DESCRIPTION = """\
The threads, messages, assistants and runs of the Assistants v2 API, on your own AWS account. Each path is on every \
server listed here, `/openapi.json` on the first two. Anything with `x-extension` is not in the Assistants v2 API.

A path that is not listed returns 404 with the code `unknown_url`, and a method that a path does not have returns 405 \
with the header `allow`. Unknown query parameters are ignored, except by the list of threads, which refuses them. An \
empty query parameter counts as absent, and a repeated one is refused. A body is JSON in UTF-8, whatever its content \
type says. Unknown fields are refused at every level. Null for an optional field means absent; on modify, null clears \
`metadata` and `tool_resources`.

Assistants, runs and run steps exist only where the parameter `ModelUrl` (locally the variable `MODEL_URL`) is set. \
Elsewhere their paths return 404 with the code `unknown_url`."""
_WHERE_RUNS_ARE_ON = "Exists only where `ModelUrl` (locally `MODEL_URL`) is set. Elsewhere: 404 `unknown_url`."

# The schema of a stream describes one event of it.
_STREAM = {
    "type": "object",
    "description": "With `stream: true`: the run as server-sent events, the last of them `done` or `error`.",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["event", "data"],
}

_SERVERS = [
    {"url": "/v1"},
    {"url": "/", "description": "The same without a prefix."},
    {"url": "/openai/v1", "description": "The path that clients of Azure use."},
    {"url": "/openai", "description": "The path that older clients of Azure use, with `?api-version=`."},
]
_HEADERS: dict[str, dict[str, Any]] = {
    "x-request-id": {
        "description": "The log has it too.",
        "schema": {"type": "string", "pattern": "^req_[0-9a-f]{32}$"},
    },
    "openai-processing-ms": {
        "description": "The time in the function, in milliseconds.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "idempotent-replayed": EXTENSION
    | {
        "description": "The response is that of an earlier request with the same Idempotency-Key.",
        "schema": {"const": "true"},
    },
    "openai-poll-after-ms": {
        "description": "Only of an active run: the milliseconds after which to read it again.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "allow": {"description": "The methods that the path has.", "schema": {"type": "string"}},
    "retry-after": {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "x-should-retry": {"description": "SDKs do not retry the request.", "schema": {"const": "false"}},
}
_ALWAYS = {name: {"$ref": f"#/components/headers/{name}"} for name in ("x-request-id", "openai-processing-ms")}
_REPLAYED = {"idempotent-replayed": {"$ref": "#/components/headers/idempotent-replayed"}}
_POLLED = {"openai-poll-after-ms": {"$ref": "#/components/headers/openai-poll-after-ms"}}

_THREAD = Thread("thread_01ARZ3NDEKTSV4RRFFQ69G5FAV", 1788264000, '{"user_id":"u-17"}')
_MESSAGE = Message(
    "msg_01ARZ3NDEKTSV4RRFFQ69G5FAW",
    _THREAD.id,
    1788264000,
    MessageData("user", '[{"type":"text","text":{"value":"How does AI work?","annotations":[]}}]'),
)
_ASSISTANT = Assistant(
    "asst_01ARZ3NDEKTSV4RRFFQ69G5FC0",
    1788264000,
    AssistantData("gpt-4o", name="Tutor", instructions="Explain it in simple terms."),
)
_RUN = Run(
    "run_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    _THREAD.id,
    _ASSISTANT.id,
    "queued",
    1788264000,
    1788264600,
    RunSettings("gpt-4o", "Explain it in simple terms."),
)
_STEP = Step(
    "step_01ARZ3NDEKTSV4RRFFQ69G5FAX",
    _RUN.id,
    _THREAD.id,
    _ASSISTANT.id,
    1788264002,
    1788264600,
    "completed",
    completed_at=1788264002,
    usage=Usage(12, 40),
    message_id=_MESSAGE.id,
)
_SCHEMAS = schemas()
_SAMPLES = {
    "MessageObject": wire.message_json(_MESSAGE),
    "ThreadObject": wire.thread_json(_THREAD),
    "MessageList": wire.list_json(Page([_MESSAGE], has_more=False), wire.message_json),
    "ThreadList": wire.list_json(Page([_THREAD], has_more=False), wire.thread_json),
    "DeletedMessage": wire.deleted_json(_MESSAGE.id, "thread.message.deleted"),
    "DeletedThread": wire.deleted_json(_THREAD.id, "thread.deleted"),
    "AssistantObject": wire_of_runs.assistant_json(_ASSISTANT),
    "AssistantList": wire.list_json(Page([_ASSISTANT], has_more=False), wire_of_runs.assistant_json),
    "DeletedAssistant": wire.deleted_json(_ASSISTANT.id, "assistant.deleted"),
    "RunObject": wire_of_runs.run_json(_RUN),
    "RunList": wire.list_json(Page([_RUN], has_more=False), wire_of_runs.run_json),
    "RunStepObject": wire_of_runs.step_json(_STEP),
    "RunStepList": wire.list_json(Page([_STEP], has_more=False), wire_of_runs.step_json),
}


def text() -> str:
    """Return the document as JSON."""
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
        "tags": [
            {"name": "Messages"},
            {"name": "Threads"},
            *({"name": name, "description": _WHERE_RUNS_ARE_ON} for name in ("Assistants", "Runs", "Run steps")),
            {"name": "Description"},
        ],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "api-key", "description": "As Azure has it."}
                | EXTENSION,
            },
            "parameters": PARAMETERS,
            "headers": _HEADERS,
            "schemas": _SCHEMAS,
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
                paths.setdefault(route.path, {})[route.method.lower()] = _operation(name, route.path, OPERATIONS[name])
    for name, (_, method, path) in ROUTES.items():
        described = _operation(name, path, OPERATIONS_OF_RUNS[name])
        paths.setdefault(path, {})[method.lower()] = described | {"description": _WHERE_RUNS_ARE_ON}
    return dict(sorted(paths.items())) | {"/openapi.json": {"get": _retrieve_openapi()}}


def _operation(name: str, path: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _camel(name),
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": parameters(path, operation),
    }
    bodies = [body.__name__ for body in operation.bodies]
    if bodies:
        described["requestBody"] = _body(name, bodies)
    response = operation.response.__name__
    headers = _ALWAYS | (_REPLAYED if "IdempotencyKey" in operation.parameters else {})
    headers |= _POLLED if operation.response is responses.RunObject else {}
    success: dict[str, Any] = {
        "description": "Done.",
        "headers": headers,
        "content": _json(f"#/components/schemas/{response}", json.loads(_SAMPLES[response])),
    }
    if STREAMED.intersection(bodies):
        success["content"]["text/event-stream"] = {"schema": _STREAM}
    described["responses"] = {"200": success} | refusals.responses((*refusals.ALWAYS, *operation.refusals), _ALWAYS)
    return described | (EXTENSION if operation.extension else {})


def _body(name: str, bodies: list[str]) -> dict[str, Any]:
    """Return the request body of an operation. Its example is the body of the function's sample event."""
    event = json.loads((_ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    references = [{"$ref": f"#/components/schemas/{body}"} for body in bodies]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    content = {"application/json": {"schema": schema, "example": json.loads(event["body"])}}
    return {"required": all("required" in _SCHEMAS[body] for body in bodies), "content": content}


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
