"""The bodies of responses as models: the objects that `shared.wire` writes, and the two forms of an error."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.models import Detail, FileId, ImageFile, ImageUrl, Metadata, Tool
from shared.trusted import IncompleteDetails, PlainId, RefusalPart
from tools.transfer.models import Annotation

# As `shared.ids` has them: 128 characters in all.
THREAD_ID = r"^thread_[A-Za-z0-9_-]{1,121}$"
PLAIN_ID = r"^[A-Za-z0-9_-]{1,128}$"
MESSAGE_ID = r"^msg_[A-Za-z0-9_-]{1,124}$"

ThreadId = Annotated[str, StringConstraints(pattern=THREAD_ID)]
MessageId = Annotated[str, StringConstraints(pattern=MESSAGE_ID)]
Time = Annotated[int, Field(ge=0, description="Seconds since 1970.")]


class Shown(BaseModel):
    """Each field is always present, and there are no others."""

    model_config = ConfigDict(extra="forbid")


class TextValue(Shown):
    """A text with its annotations."""

    value: str
    annotations: list[Annotation]


class TextContent(Shown):
    """A text as it is stored."""

    type: Literal["text"]
    text: TextValue


class StoredImageUrl(ImageUrl):
    """An image of another site."""

    detail: Detail


class ImageUrlContent(Shown):
    """An image by URL."""

    type: Literal["image_url"]
    image_url: StoredImageUrl


class StoredImageFile(ImageFile):
    """An image in a file store. The id is stored, not checked."""

    detail: Detail


class ImageFileContent(Shown):
    """An image by file id."""

    type: Literal["image_file"]
    image_file: StoredImageFile


Content = Annotated[TextContent | ImageUrlContent | ImageFileContent | RefusalPart, Field(discriminator="type")]


class AttachmentObject(BaseModel):
    """A file beside a message: `tools` are always there, `file_id` only when the message was given one."""

    model_config = ConfigDict(extra="forbid")

    file_id: FileId = ""
    tools: Annotated[list[Tool], Field(max_length=2)]


class MessageObject(Shown):
    """A message of a thread."""

    id: MessageId
    object: Literal["thread.message"]
    created_at: Time
    assistant_id: PlainId | None
    thread_id: ThreadId
    run_id: PlainId | None
    role: Literal["user", "assistant"]
    content: Annotated[list[Content], Field(max_length=64)]
    attachments: Annotated[list[AttachmentObject], Field(max_length=20)]
    metadata: Metadata
    status: Literal["completed", "incomplete"]
    incomplete_details: IncompleteDetails | None
    completed_at: None
    incomplete_at: Time | None


class ThreadObject(Shown):
    """A thread, without its messages."""

    id: ThreadId
    object: Literal["thread"]
    created_at: Time
    metadata: Metadata
    tool_resources: dict[str, Any]


class MessageList(Shown):
    """One page of messages; `first_id` and `last_id` are those of the page, null when it is empty."""

    object: Literal["list"]
    data: Annotated[list[MessageObject], Field(max_length=100)]
    first_id: MessageId | None
    last_id: MessageId | None
    has_more: bool


class ThreadList(Shown):
    """One page of threads; `first_id` and `last_id` are those of the page, null when it is empty."""

    object: Literal["list"]
    data: Annotated[list[ThreadObject], Field(max_length=100)]
    first_id: ThreadId | None
    last_id: ThreadId | None
    has_more: bool


class DeletedMessage(Shown):
    """The response of delete message."""

    id: MessageId
    object: Literal["thread.message.deleted"]
    deleted: Literal[True]


class DeletedThread(Shown):
    """The response of delete thread."""

    id: ThreadId
    object: Literal["thread.deleted"]
    deleted: Literal[True]


class ErrorDetails(Shown):
    """What went wrong; `param` is the place in the request, such as `content[0].text`."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str | None


class Error(Shown):
    """An error of this API."""

    error: ErrorDetails


class GatewayError(BaseModel):
    """An error of API Gateway, which responds instead of a function."""

    message: str
