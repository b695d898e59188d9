"""The bodies of requests, as the contract has them. `shared.validation` maps pydantic's errors to the API's errors.

Null means that an optional field is absent. Optional fields are therefore `X | None` at every level.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

MAX_CONTENT = 256_000
MAX_TOOL_RESOURCES = 16_384

# Made once, because `json.dumps` would make an encoder for each call. The second encoder sorts maps by key.
_encoders = [
    json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=ordered).encode
    for ordered in (False, True)
]


class Model(BaseModel):
    """Unknown fields are refused at every level, and no JSON type is converted into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def compact_json(value: object, *, ordered: bool = False) -> str:
    """Return JSON in the form that is stored and sent. Raises `ValueError` for values that JSON or UTF-8 cannot hold.

    With `ordered`, maps are sorted by key: equal bodies then give equal texts.
    """
    text = _encoders[ordered](value)
    text.encode()
    return text


def content_kind(value: object) -> str | None:
    """Return the tag of the form of `content` that a value has. No field has this name, so `param` can omit the tag."""
    return "<text>" if isinstance(value, str) else "<parts>" if isinstance(value, list) else None


def text_kind(value: object) -> str | None:
    """Return the tag of the form of a part's `text` that a value has."""
    return "<plain>" if isinstance(value, str) else "<stored>" if isinstance(value, dict) else None


def check_content(texts: list[str], *, others: bool) -> None:
    """Refuse a message that is empty or too long; `others` means that it has parts without a text."""
    length = sum(map(len, texts))
    if not length and not others:
        raise PydanticCustomError("content_empty", "Message content must be non-empty.")
    if length > MAX_CONTENT:
        raise PydanticCustomError("content_too_long", "Message content is too long.", {"length": length})


def _check_utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "The text holds a lone surrogate.") from None
    return text


def _check_url(url: str) -> str:
    if url != url.strip():
        raise PydanticCustomError("url_in_blanks", "The URL begins or ends with white space.")
    if url[:5].lower() == "data:":
        raise PydanticCustomError("data_url", "The URL is a file.")
    return url


def _check_json(value: dict[str, Any]) -> dict[str, Any]:
    try:
        compact_json(value)
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "The text holds a lone surrogate.") from None
    except ValueError:
        raise PydanticCustomError("number_out_of_range", "A number is too large.") from None
    return value


def _check_resources(resources: dict[str, Any]) -> dict[str, Any]:
    if len(compact_json(resources).encode()) > MAX_TOOL_RESOURCES:
        raise PydanticCustomError("resources_too_large", "The JSON is too large.")
    return resources


def _check_no_annotations(annotations: list[Any]) -> list[Any]:
    """Refuse annotations like an unknown field: only trusted writers may send annotations."""
    if annotations:
        raise PydanticCustomError("extra_forbidden", "Annotations are not permitted.")
    return annotations


# pydantic finds lone surrogates only in texts that have a limit of length.
Text = Annotated[str, AfterValidator(_check_utf8)]
FileId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=8192), AfterValidator(_check_url)]
Detail = Literal["auto", "low", "high"]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)]
# The fields of such an object are stored and returned, but not interpreted.
AnyObject = Annotated[dict[str, Any], AfterValidator(_check_json)]
ToolResources = Annotated[AnyObject, AfterValidator(_check_resources)]
NoAnnotations = Annotated[list[Any], AfterValidator(_check_no_annotations), Field(json_schema_extra={"maxItems": 0})]


class ImageUrl(Model):
    """An image at a URL. The API does not read it."""

    url: Url
    detail: Detail | None = "auto"


class ImageFile(Model):
    """An image in a file store. The id is stored without a check."""

    file_id: FileId
    detail: Detail | None = "auto"


class StoredText(Model):
    """A text as in responses: an object with `value`, without annotations."""

    value: Text
    annotations: NoAnnotations | None = None


class TextPart(Model):
    """A text, as a string or an object. Both forms are stored as `{"value": …, "annotations": []}`."""

    type: Literal["text"]
    text: Annotated[Annotated[Text, Tag("<plain>")] | Annotated[StoredText, Tag("<stored>")], Discriminator(text_kind)]


class ImageUrlPart(Model):
    """An image by URL."""

    type: Literal["image_url"]
    image_url: ImageUrl


class ImageFilePart(Model):
    """An image by file id."""

    type: Literal["image_file"]
    image_file: ImageFile


class Tool(Model):
    """A tool that may use an attachment."""

    type: Literal["code_interpreter", "file_search"]


class Attachment(Model):
    """A file that belongs to the message."""

    file_id: FileId | None = None
    tools: Annotated[list[Tool], Field(max_length=2)] | None = None


Part = Annotated[TextPart | ImageUrlPart | ImageFilePart, Field(discriminator="type")]
Parts = Annotated[list[Part], Field(max_length=64)]
Content = Annotated[Annotated[Text, Tag("<text>")] | Annotated[Parts, Tag("<parts>")], Discriminator(content_kind)]
Attachments = Annotated[list[Attachment], Field(max_length=20)]


def _check_parts(content: str | list[TextPart | ImageUrlPart | ImageFilePart]) -> None:
    parts = [content] if isinstance(content, str) else content
    texts = [_text(part) for part in parts if isinstance(part, str | TextPart)]
    check_content(texts, others=len(texts) < len(parts))


def _text(part: str | TextPart) -> str:
    text = part if isinstance(part, str) else part.text
    return text if isinstance(text, str) else text.value


class CreateMessage(Model):
    """The body of create message, and of each initial message of create thread."""

    role: Literal["user", "assistant"]
    content: Content
    attachments: Attachments | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _has_content(self) -> "CreateMessage":
        _check_parts(self.content)
        return self


class CreateThread(Model):
    """The body of create thread. Each message is validated separately, like the body of create message."""

    messages: Annotated[list[dict[str, Any]], Field(max_length=32)] | None = None
    metadata: Metadata | None = None
    tool_resources: ToolResources | None = None


class ModifyMessage(Model):
    """The body of modify message. Absent fields do not change. Null clears the metadata. `content` is an extension."""

    content: Content | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _has_content(self) -> "ModifyMessage":
        if self.content is not None:
            _check_parts(self.content)
        return self


class ModifyThread(Model):
    """The body of modify thread. Absent fields do not change. Null clears a field."""

    metadata: Metadata | None = None
    tool_resources: ToolResources | None = None
