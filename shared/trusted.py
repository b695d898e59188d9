"""The bodies that only trusted keys and the inbound queues may send: an assistant's message with the fields of a run.

This is an extension of OpenAI's API. For other keys these fields are unknown.
"""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator
from pydantic_core import PydanticCustomError

from shared.models import (
    Attachments,
    FileId,
    ImageFilePart,
    ImageUrlPart,
    Metadata,
    Model,
    Text,
    check_content,
    content_kind,
    text_kind,
)

# A run id becomes part of a key in the table, so it may not contain the key's separator.
PlainId = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]
Index = Annotated[int, Field(ge=0, le=10_000_000)]


class FileCitation(Model):
    """The file that a passage cites."""

    file_id: FileId
    quote: Text | None = None


class FilePath(Model):
    """The file that a tool made."""

    file_id: FileId


class FileCitationAnnotation(Model):
    """A passage of the text that cites a file."""

    type: Literal["file_citation"]
    text: Text
    start_index: Index
    end_index: Index
    file_citation: FileCitation


class FilePathAnnotation(Model):
    """A passage of the text that is the path of a file."""

    type: Literal["file_path"]
    text: Text
    start_index: Index
    end_index: Index
    file_path: FilePath


Annotation = Annotated[FileCitationAnnotation | FilePathAnnotation, Field(discriminator="type")]


class AnnotatedText(Model):
    """A text as in responses: an object with `value` and `annotations`."""

    value: Text
    annotations: list[Annotation] | None = None


class TrustedTextPart(Model):
    """A text, plain or with annotations."""

    type: Literal["text"]
    text: Annotated[
        Annotated[Text, Tag("<plain>")] | Annotated[AnnotatedText, Tag("<stored>")], Discriminator(text_kind)
    ]


class RefusalPart(Model):
    """The text of a model that refuses to answer."""

    type: Literal["refusal"]
    refusal: Text


class IncompleteDetails(Model):
    """The reason why a message is incomplete."""

    reason: Literal["content_filter", "max_tokens", "run_cancelled", "run_expired", "run_failed"]


TrustedPart = Annotated[TrustedTextPart | RefusalPart | ImageUrlPart | ImageFilePart, Field(discriminator="type")]
TrustedParts = Annotated[list[TrustedPart], Field(max_length=64)]
TrustedContent = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[TrustedParts, Tag("<parts>")], Discriminator(content_kind)
]


class AssistantMessage(Model):
    """The body of create message for a message of role assistant, from a trusted writer."""

    role: Literal["assistant"]
    content: TrustedContent
    attachments: Attachments | None = None
    metadata: Metadata | None = None
    assistant_id: PlainId | None = None
    run_id: PlainId | None = None
    status: Literal["completed", "incomplete"] | None = "completed"
    incomplete_details: IncompleteDetails | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "AssistantMessage":
        _check_parts(self.content)
        if self.status == "incomplete" and self.incomplete_details is None:
            raise PydanticCustomError("missing_field", "The details are missing.", {"field": "incomplete_details"})
        if self.status != "incomplete" and self.incomplete_details is not None:
            raise PydanticCustomError("details_unexpected", "Only an incomplete message has incomplete_details.")
        return self


class ModifyTrustedMessage(Model):
    """The body of modify message from a trusted writer. Absent fields do not change. Null clears the metadata."""

    content: TrustedContent | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _has_content(self) -> "ModifyTrustedMessage":
        if self.content is not None:
            _check_parts(self.content)
        return self


def _check_parts(content: str | list[TrustedTextPart | RefusalPart | ImageUrlPart | ImageFilePart]) -> None:
    parts = [content] if isinstance(content, str) else content
    texts = [_text(part) for part in parts if not isinstance(part, ImageUrlPart | ImageFilePart)]
    check_content(texts, others=len(texts) < len(parts))


def _text(part: str | TrustedTextPart | RefusalPart) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, RefusalPart):
        return part.refusal
    return part.text if isinstance(part.text, str) else part.text.value
