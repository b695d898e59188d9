"""Threads and messages as the old API and its SDKs wrote them. They allow more than the bodies of this API's creates.

The models are for objects that `tools.transfer.objects` has converted to the stored form.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.models import (
    Attachments,
    ImageFilePart,
    ImageUrlPart,
    Metadata,
    Model,
    Text,
    ToolResources,
    check_content,
    compact_json,
)
from shared.trusted import FileCitationAnnotation, FilePathAnnotation, IncompleteDetails, PlainId, RefusalPart

Moment = Annotated[int, Field(ge=0)]


class UrlCitationAnnotation(Model, extra="allow"):
    """A passage that cites a web page. Its other fields differ between services and are kept as they are."""

    type: Literal["url_citation"]

    @model_validator(mode="after")
    def _is_storable(self) -> "UrlCitationAnnotation":
        try:
            compact_json(self.model_extra)
        except UnicodeEncodeError:
            raise PydanticCustomError("string_unicode", "The text holds a lone surrogate.") from None
        except ValueError:
            raise PydanticCustomError("number_out_of_range", "A number is too large.") from None
        return self


Annotation = Annotated[FileCitationAnnotation | FilePathAnnotation | UrlCitationAnnotation, Field(discriminator="type")]


class AnnotatedText(Model):
    """A text as in responses: an object with `value` and `annotations`."""

    value: Text
    annotations: list[Annotation]


class TextPart(Model):
    """A text."""

    type: Literal["text"]
    text: AnnotatedText


Part = Annotated[TextPart | RefusalPart | ImageUrlPart | ImageFilePart, Field(discriminator="type")]


class ImportedObject(Model):
    """The fields of an assistant that are not in the body of create assistant."""

    id: str
    object: Literal["assistant"]
    created_at: Moment


class ImportedThread(Model):
    """A thread object."""

    id: str
    object: Literal["thread"]
    created_at: Moment
    metadata: Metadata = Field(default={})
    tool_resources: ToolResources = Field(default={})


class ImportedMessage(Model):
    """A message object. Its content may be empty. `completed_at` and `incomplete_at` are not stored."""

    id: str
    object: Literal["thread.message"]
    created_at: Moment
    thread_id: str
    role: Literal["user", "assistant"]
    content: Annotated[list[Part], Field(max_length=64)]
    attachments: Attachments = Field(default=[])
    metadata: Metadata = Field(default={})
    assistant_id: PlainId | None = None
    run_id: PlainId | None = None
    status: Literal["completed", "incomplete", "in_progress"] = "completed"
    incomplete_details: IncompleteDetails | None = None
    completed_at: Moment | None = None
    incomplete_at: Moment | None = None

    @model_validator(mode="after")
    def _is_not_too_long(self) -> "ImportedMessage":
        texts = [part.text.value for part in self.content if isinstance(part, TextPart)]
        texts += [part.refusal for part in self.content if isinstance(part, RefusalPart)]
        check_content(texts, others=True)
        return self
