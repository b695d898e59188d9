"""The bodies of requests, as the contract has them. `shared.validation` tells a client what is wrong with one."""

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


class Model(BaseModel):
    """Unknown fields are refused at every level, and no JSON type is converted into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def compact_json(value: object, *, ordered: bool = False) -> str:
    """Return JSON as it is stored and sent. Raises `ValueError` for what JSON or UTF-8 cannot hold.

    With `ordered`, maps are sorted by key: equal bodies then give equal texts.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=ordered)
    text.encode()
    return text


def content_kind(value: object) -> str | None:
    """Return which form of `content` a value takes."""
    return "text" if isinstance(value, str) else "parts" if isinstance(value, list) else None


def check_content(texts: list[str], *, others: bool) -> None:
    """Refuse a message that is empty or too long; `others` tells whether it has parts that are no texts."""
    length = sum(map(len, texts))
    if not length and not others:
        raise PydanticCustomError("content_empty", "Message content must be non-empty.")
    if length > MAX_CONTENT:
        raise PydanticCustomError("content_too_long", "Message content is too long.", {"length": length})


def _is_utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "The text holds a lone surrogate.") from None
    return text


def _is_no_data_url(url: str) -> str:
    if url[:5].lower() == "data:":
        raise ValueError("a data: URL is a file, and files are not stored here")
    return url


def _is_small(resources: dict[str, Any]) -> dict[str, Any]:
    try:
        text = compact_json(resources)
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "The text holds a lone surrogate.") from None
    except ValueError:
        raise ValueError("it holds a number that JSON does not have") from None
    if len(text.encode()) > MAX_TOOL_RESOURCES:
        raise ValueError(f"it is larger than {MAX_TOOL_RESOURCES} bytes")
    return resources


# pydantic looks for lone surrogates only where it measures a text.
Text = Annotated[str, AfterValidator(_is_utf8)]
FileId = Annotated[str, StringConstraints(max_length=128)]
Detail = Literal["auto", "low", "high"]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)]
ToolResources = Annotated[dict[str, Any], AfterValidator(_is_small)]


class ImageUrl(Model):
    """An image somewhere else."""

    url: Annotated[str, StringConstraints(max_length=2048), AfterValidator(_is_no_data_url)]
    detail: Detail = "auto"


class ImageFile(Model):
    """An image in a file store; the id is kept, not looked at."""

    file_id: FileId
    detail: Detail = "auto"


class TextPart(Model):
    """A text as a client writes it; it is stored as `{"value": …, "annotations": []}`."""

    type: Literal["text"]
    text: Text


class ImageUrlPart(Model):
    """An image by URL."""

    type: Literal["image_url"]
    image_url: ImageUrl


class ImageFilePart(Model):
    """An image by file id."""

    type: Literal["image_file"]
    image_file: ImageFile


class Tool(Model):
    """What an attachment is for."""

    type: Literal["code_interpreter", "file_search"]


class Attachment(Model):
    """A file beside the message."""

    file_id: FileId = ""
    tools: Annotated[list[Tool], Field(max_length=2)] = []


Part = Annotated[TextPart | ImageUrlPart | ImageFilePart, Field(discriminator="type")]
Parts = Annotated[list[Part], Field(max_length=64)]
Content = Annotated[Annotated[Text, Tag("text")] | Annotated[Parts, Tag("parts")], Discriminator(content_kind)]
Attachments = Annotated[list[Attachment], Field(max_length=20)]


def _check_parts(content: str | list[TextPart | ImageUrlPart | ImageFilePart]) -> None:
    parts = [content] if isinstance(content, str) else content
    texts = [part if isinstance(part, str) else part.text for part in parts if isinstance(part, str | TextPart)]
    check_content(texts, others=len(texts) < len(parts))


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
    """The body of create thread. Each of its messages is validated by itself, like the body of create message."""

    messages: Annotated[list[dict[str, Any]], Field(max_length=32)] | None = None
    metadata: Metadata | None = None
    tool_resources: ToolResources | None = None


class ModifyMessage(Model):
    """The body of modify message: what is absent stays, null clears the metadata. `content` is an extension of ours."""

    content: Content = ""
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _has_content(self) -> "ModifyMessage":
        if "content" in self.model_fields_set:
            _check_parts(self.content)
        return self


class ModifyThread(Model):
    """The body of modify thread: what is absent stays, null clears."""

    metadata: Metadata | None = None
    tool_resources: ToolResources | None = None
