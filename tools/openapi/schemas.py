"""The schemas of the document: from the models of bodies and answers, and what their validators ask besides."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from shared import models, trusted
from tools.openapi import answers
from tools.openapi.operations import EXTENSION

_BODIES: tuple[type[BaseModel], ...] = (
    models.CreateMessage,
    models.CreateThread,
    models.ModifyMessage,
    models.ModifyThread,
    trusted.AssistantMessage,
    trusted.ModifyTrustedMessage,
)
_ANSWERS: tuple[type[BaseModel], ...] = (
    answers.MessageObject,
    answers.ThreadObject,
    answers.MessageList,
    answers.ThreadList,
    answers.DeletedMessage,
    answers.DeletedThread,
    answers.Error,
    answers.GatewayError,
)
_OF_TRUSTED_KEYS = {"AssistantMessage", "ModifyTrustedMessage"}
# An incomplete message, and only that, has incomplete_details.
_ENDINGS = [
    {"properties": {"status": {"enum": ["completed", None]}, "incomplete_details": {"type": "null"}}},
    {
        "properties": {"status": {"const": "incomplete"}, "incomplete_details": {"type": "object"}},
        "required": ["status", "incomplete_details"],
    },
]
# A text part may be empty, all of a message may not.
_BLANK_VALUE = {"type": "object", "properties": {"value": {"const": ""}}, "required": ["value"]}
_BLANK = [
    {"properties": {"text": {"const": ""}}, "required": ["text"]},
    {"properties": {"text": _BLANK_VALUE}, "required": ["text"]},
    {"properties": {"refusal": {"const": ""}}, "required": ["refusal"]},
]
_NOT_BLANK = {"not": {"anyOf": _BLANK}}
# Neither a data: URL nor one between blanks.
_URL = r"^(?![dD][aA][tT][aA]:)\S([\s\S]*\S)?$"


class _Untitled(GenerateJsonSchema):
    """The titles that pydantic makes up of the names of fields say nothing."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def schemas() -> dict[str, Any]:
    """Return the schemas by name."""
    _, generated = models_json_schema(
        [(model, "validation") for model in (*_BODIES, *_ANSWERS)],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Untitled,
    )
    found: dict[str, Any] = generated["$defs"]
    for name, schema in found.items():
        schema.pop("title", None)
        if name in _OF_TRUSTED_KEYS:
            schema.update(EXTENSION, description=f"{schema['description']} Only a trusted key may send it.")
    for text in _texts_of_content(found):
        text["maxLength"] = models.MAX_CONTENT
    for content in _contents(found):
        text, parts = content["oneOf"]
        text["minLength"] = parts["minItems"] = 1
        parts["contains"] = _NOT_BLANK
    found["ImageUrl"]["properties"]["url"]["pattern"] = _URL
    found["AttachmentObject"]["properties"]["file_id"].pop("default")
    found["ModifyMessage"]["properties"]["content"] |= EXTENSION
    found["AssistantMessage"]["oneOf"] = _ENDINGS
    messages = found["CreateThread"]["properties"]["messages"]["anyOf"][0]
    messages["items"] = {
        "anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("CreateMessage", "AssistantMessage")]
    }
    for name in ("CreateThread", "ModifyThread"):
        resources = found[name]["properties"]["tool_resources"]
        resources["description"] = f"At most {models.MAX_TOOL_RESOURCES} bytes of JSON."
    return dict(sorted(found.items()))


def _contents(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Find the places where a message's content is a text or an array of parts."""
    for model in _BODIES:
        content = found[model.__name__]["properties"].get("content")
        if content:
            # An absent content stays as it is, whatever the model holds for it.
            content.pop("default", None)
            yield content["anyOf"][0] if "anyOf" in content else content


def _texts_of_content(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for content in _contents(found):
        yield content["oneOf"][0]
    yield found["TextPart"]["properties"]["text"]["oneOf"][0]
    yield found["StoredText"]["properties"]["value"]
    yield found["TrustedTextPart"]["properties"]["text"]["oneOf"][0]
    yield found["AnnotatedText"]["properties"]["value"]
    yield found["RefusalPart"]["properties"]["refusal"]
