"""openapi.json is generated from the current code, valid and complete. Its examples are correct."""

import inspect
import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared import errors, ids
from tests.support import openapi
from tools.local import template
from tools.openapi import document, refusals, responses
from tools.openapi.routes import ROUTES

_STEMS = ("", "/v1", "/openai", "/openai/v1")


def test_the_document_is_what_the_code_says() -> None:
    """`./message-api openapi` writes the document."""
    assert document.DOCUMENT.read_text(encoding="utf-8") == document.text()


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(openapi.DOCUMENT).validate()


def test_the_document_has_the_routes_of_the_template_and_no_others() -> None:
    told = {
        f"{method.upper()} {server['url'].rstrip('/')}{path}"
        for path, methods in openapi.DOCUMENT["paths"].items()
        for method, operation in methods.items()
        for server in operation.get("servers", openapi.DOCUMENT["servers"])
    }

    routes = {route.key for function in template.load().functions for route in function.routes}
    of_runs = {f"{method} {stem}{path}" for _, method, path in ROUTES.values() for stem in _STEMS}
    assert told == routes - {"$default"} | of_runs
    assert {server["url"].rstrip("/") for server in openapi.DOCUMENT["servers"]} == {*_STEMS}


def test_the_document_has_every_error_of_the_contract() -> None:
    made = {name for name, function in inspect.getmembers(errors, inspect.isfunction) if not name.startswith("_")}
    source = inspect.getsource(refusals)
    # Errors of commands, which have no operation, and of rules that no body of these operations has.
    elsewhere = {"command_id_reused", "command_in_notification", "event_detail_not_a_command", "invalid_project"}
    elsewhere |= {"invalid_value", "not_allowed"}
    # Errors in streams, whose status is 200.
    elsewhere |= {"stream_broken", "stream_ended", "stream_too_large"}

    assert made - elsewhere == {*re.findall(r"errors\.(\w+)\(", source)}
    used = {*refusals.ALWAYS, "unknown_url", "misspelt_url", "method_not_allowed"}
    contents = [content for operation in openapi.OPERATIONS.values() for content in _contents(operation)]
    used |= {name for content in contents for name in content.get("examples", {})}
    assert used == {*refusals.CASES} == {*openapi.DOCUMENT["components"]["examples"]}


def test_a_pattern_means_the_same_in_each_language() -> None:
    """Languages differ in which characters are white space, letters or digits."""
    patterns = re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', json.dumps(openapi.DOCUMENT))

    assert patterns
    assert [found for found in patterns if re.search(r"\\[sSwWdDb]", found.replace(r"[\\s\\S]", ""))] == []


def _contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an operation's descriptions of the JSON of its responses and of its body."""
    bodies = [*map(openapi.resolved, operation["responses"].values()), operation.get("requestBody", {"content": {}})]
    return [body["content"]["application/json"] for body in bodies if "application/json" in body["content"]]


@pytest.mark.parametrize("operation", openapi.OPERATIONS.values(), ids=openapi.OPERATIONS)
def test_an_example_is_as_its_schema_says(operation: dict[str, Any]) -> None:
    examples = [
        (content["schema"], example)
        for content in _contents(operation)
        for example in (
            *([content["example"]] if "example" in content else []),
            *(openapi.resolved(example)["value"] for example in content.get("examples", {}).values()),
        )
    ]
    assert examples
    assert [openapi.errors(schema, example) for schema, example in examples] == [[]] * len(examples)


def test_only_the_document_itself_is_open_to_everybody() -> None:
    public = [name for name, operation in openapi.OPERATIONS.items() if operation.get("security") == []]

    assert public == ["retrieveOpenapi"]
    assert openapi.DOCUMENT["security"] == [{"bearer": []}, {"apiKey": []}]


def test_what_exists_only_with_a_model_is_said_to() -> None:
    said = {name for name, operation in openapi.OPERATIONS.items() if "ModelUrl" in operation.get("description", "")}
    tags = {tag["name"] for tag in openapi.DOCUMENT["tags"] if "MODEL_URL" in tag.get("description", "")}

    assert said == {openapi.operation_of(name)["operationId"] for name in ROUTES}
    assert {tag for name in said for tag in openapi.OPERATIONS[name]["tags"]} == tags


def test_what_the_old_api_did_not_have_is_marked() -> None:
    marked = {name for name, operation in openapi.OPERATIONS.items() if "x-extension" in operation}
    components = openapi.DOCUMENT["components"]

    assert marked == {"listThreads", "retrieveOpenapi"}
    assert {name for kind in components.values() for name, part in kind.items() if "x-extension" in part} == {
        "AssistantMessage",
        "IdempotencyKey",
        "IndexedMetadata",
        "ModifyTrustedMessage",
        "apiKey",
        "idempotent-replayed",
    }
    assert "x-extension" in components["schemas"]["ModifyMessage"]["properties"]["content"]


@pytest.mark.parametrize(
    ("prefix", "pattern"),
    [
        ("thread", responses.THREAD_ID),
        ("msg", responses.MESSAGE_ID),
        ("asst", responses.ASSISTANT_ID),
        ("run", responses.RUN_ID),
        ("step", responses.STEP_ID),
    ],
)
@pytest.mark.parametrize("end", ["", "a", "_", "-", "é", "a b", *("x" * length for length in range(121, 126))])
def test_the_pattern_of_ids_is_that_of_paths(prefix: str, pattern: str, end: str) -> None:
    for text in (f"{prefix}_{end}", f"{prefix}{end}", f"x{prefix}_{end}"):
        assert (re.search(pattern, text) is not None) == ids.is_path_id(text, prefix)
