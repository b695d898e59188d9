"""The schemas of the document, made from the models of bodies and responses and the rules of their validators."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from shared import models
from shared.runs import models as of_runs
from tools.openapi import responses
from tools.openapi.operations import EXTENSION, OPERATIONS, OPERATIONS_OF_RUNS

_ALL = (*OPERATIONS.values(), *OPERATIONS_OF_RUNS.values())
_BODIES = dict.fromkeys(body for operation in _ALL for body in operation.bodies)
_RESPONSES = dict.fromkeys(operation.response for operation in _ALL)
# The bodies that can ask for a stream.
STREAMED = frozenset({"CreateRun", "CreateThreadAndRun", "SubmitToolOutputs"})
_OF_TRUSTED_KEYS = {"AssistantMessage", "ModifyTrustedMessage"}
# Only an incomplete message has incomplete_details, and it must have them.
_ENDINGS = [
    {"properties": {"status": {"enum": ["completed", None]}, "incomplete_details": {"type": "null"}}},
    {
        "properties": {"status": {"const": "incomplete"}, "incomplete_details": {"type": "object"}},
        "required": ["status", "incomplete_details"],
    },
]
# A text part may be empty, but a message may not consist of empty parts only.
_BLANK_VALUE = {"type": "object", "properties": {"value": {"const": ""}}, "required": ["value"]}
_BLANK = [
    {"properties": {"text": {"const": ""}}, "required": ["text"]},
    {"properties": {"text": _BLANK_VALUE}, "required": ["text"]},
    {"properties": {"refusal": {"const": ""}}, "required": ["refusal"]},
]
_NOT_BLANK = {"not": {"anyOf": _BLANK}}
# The characters that are not white space in Python. `\S` is a different set in each language.
_INK = r"[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
# A URL that is not a data: URL, and has no white space at its ends.
_URL = rf"^(?![dD][aA][tT][aA]:){_INK}([\s\S]*{_INK})?$"


class _Untitled(GenerateJsonSchema):
    """Omits the titles that pydantic makes from the names of fields."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def schemas() -> dict[str, Any]:
    """Return the schemas by name."""
    described: list[type[BaseModel]] = [*_BODIES, *_RESPONSES, responses.Error, responses.GatewayError]
    _, generated = models_json_schema(
        [(model, "validation") for model in described],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Untitled,
    )
    schemas_by_name: dict[str, Any] = generated["$defs"]
    for name, schema in schemas_by_name.items():
        schema.pop("title", None)
        if name in _OF_TRUSTED_KEYS:
            schema.update(EXTENSION, description=f"{schema['description']} Only a trusted key may send it.")
    for text in _texts_of_content(schemas_by_name):
        text["maxLength"] = models.MAX_CONTENT
    for content in _contents(schemas_by_name):
        text, parts = content["oneOf"]
        text["minLength"] = parts["minItems"] = 1
        parts["contains"] = _NOT_BLANK
    schemas_by_name["ImageUrl"]["properties"]["url"]["pattern"] = _URL
    schemas_by_name["AttachmentObject"]["properties"]["file_id"].pop("default")
    schemas_by_name["ModifyMessage"]["properties"]["content"] |= EXTENSION
    schemas_by_name["AssistantMessage"]["oneOf"] = _ENDINGS
    for model, field in (("CreateThread", "messages"), ("CreateRun", "additional_messages")):
        messages = schemas_by_name[model]["properties"][field]["anyOf"][0]
        messages["items"] = {"anyOf": [_reference(name) for name in ("CreateMessage", "AssistantMessage")]}
    _complete_runs(schemas_by_name)
    schemas_by_name["CreateRun"]["properties"]["tool_resources"] |= EXTENSION
    of_threads, of_assistants = ("CreateThread", "ModifyThread"), ("CreateAssistant", "ModifyAssistant")
    for name in (*of_threads, *of_assistants, "CreateRun", "CreateThreadAndRun"):
        resources = schemas_by_name[name]["properties"]["tool_resources"]
        resources["description"] = f"At most {models.MAX_TOOL_RESOURCES} bytes of JSON."
    return dict(sorted(schemas_by_name.items()))


def _complete_runs(schemas_by_name: dict[str, Any]) -> None:
    """Add the rules of the validators of assistants and runs."""
    for name in ("FunctionDefinition", "NamedFunction"):
        schemas_by_name[name]["properties"]["name"]["pattern"] = of_runs.FUNCTION_NAME
    # The type last_messages needs a number.
    schemas_by_name["TruncationStrategy"]["anyOf"] = [
        {"properties": {"type": {"const": "auto"}}},
        {"properties": {"last_messages": {"type": "integer"}}, "required": ["last_messages"]},
    ]
    for name in ("CreateRun", "CreateThreadAndRun"):
        schemas_by_name[name]["properties"]["assistant_id"]["pattern"] = responses.ASSISTANT_ID
    for name in STREAMED:
        schemas_by_name[name]["properties"]["stream"]["description"] = "Whether the response is a stream of events."
    schemas_by_name["CreateThreadAndRun"]["properties"]["thread"]["anyOf"][0] = _reference("CreateThread")
    schemas_by_name["ModifyAssistant"]["properties"]["model"].pop("default")
    schemas_by_name["RunIncompleteDetails"]["properties"]["reason"].pop("default")
    outputs = schemas_by_name["SubmitToolOutputs"]["properties"]["tool_outputs"]
    outputs["description"] = f"At most {of_runs.MAX_OUTPUTS} bytes of UTF-8."


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _contents(schemas_by_name: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas of a message's content: a text or an array of parts."""
    for model in _BODIES:
        content = schemas_by_name[model.__name__]["properties"].get("content")
        if content:
            # The model's default means that the content is not changed.
            content.pop("default", None)
            yield content["anyOf"][0] if "anyOf" in content else content


def _texts_of_content(schemas_by_name: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for content in _contents(schemas_by_name):
        yield content["oneOf"][0]
    yield schemas_by_name["TextPart"]["properties"]["text"]["oneOf"][0]
    yield schemas_by_name["StoredText"]["properties"]["value"]
    yield schemas_by_name["TrustedTextPart"]["properties"]["text"]["oneOf"][0]
    yield schemas_by_name["AnnotatedText"]["properties"]["value"]
    yield schemas_by_name["RefusalPart"]["properties"]["refusal"]
