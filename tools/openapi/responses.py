"""The bodies of responses as models: the objects that `shared.wire` writes, and the two forms of an error."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.models import Detail, FileId, ImageFile, ImageUrl, Metadata, Tool
from shared.runs import models as of_runs
from shared.trusted import IncompleteDetails, PlainId, RefusalPart
from tools.transfer.models import Annotation

# The forms of ids in `shared.ids`, with at most 128 characters in all.
THREAD_ID = r"^thread_[A-Za-z0-9_-]{1,121}$"
PLAIN_ID = r"^[A-Za-z0-9_-]{1,128}$"
MESSAGE_ID = r"^msg_[A-Za-z0-9_-]{1,124}$"
ASSISTANT_ID = r"^asst_[A-Za-z0-9_-]{1,123}$"
RUN_ID = r"^run_[A-Za-z0-9_-]{1,124}$"
STEP_ID = r"^step_[A-Za-z0-9_-]{1,123}$"

ThreadId = Annotated[str, StringConstraints(pattern=THREAD_ID)]
MessageId = Annotated[str, StringConstraints(pattern=MESSAGE_ID)]
AssistantId = Annotated[str, StringConstraints(pattern=ASSISTANT_ID)]
RunId = Annotated[str, StringConstraints(pattern=RUN_ID)]
StepId = Annotated[str, StringConstraints(pattern=STEP_ID)]
Time = Annotated[int, Field(ge=0, description="Seconds since 1970.")]

Object = TypeVar("Object")
Id = TypeVar("Id")


class Shown(BaseModel):
    """An object in a response. Fields without a default are always present. There are no other fields."""

    model_config = ConfigDict(extra="forbid")


class Listed(Shown, Generic[Object, Id]):
    """One page of objects. `first_id` and `last_id` are ids of the page, or null if it is empty."""

    object: Literal["list"]
    data: Annotated[list[Object], Field(max_length=100)]
    first_id: Id | None
    last_id: Id | None
    has_more: bool


class TextValue(Shown):
    """A text with its annotations."""

    value: str
    annotations: list[Annotation]


class TextContent(Shown):
    """A content part with a text."""

    type: Literal["text"]
    text: TextValue


class StoredImageUrl(ImageUrl):
    """An image at a URL. The API does not read it."""

    detail: Detail


class ImageUrlContent(Shown):
    """An image by URL."""

    type: Literal["image_url"]
    image_url: StoredImageUrl


class StoredImageFile(ImageFile):
    """An image in a file store. The id is stored without a check."""

    detail: Detail


class ImageFileContent(Shown):
    """An image by file id."""

    type: Literal["image_file"]
    image_file: StoredImageFile


Content = Annotated[TextContent | ImageUrlContent | ImageFileContent | RefusalPart, Field(discriminator="type")]


class AttachmentObject(Shown):
    """A file that belongs to a message. `tools` is always present, `file_id` only if the create gave it."""

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
    completed_at: Time | None
    incomplete_at: Time | None


class ThreadObject(Shown):
    """A thread, without its messages."""

    id: ThreadId
    object: Literal["thread"]
    created_at: Time
    metadata: Metadata
    tool_resources: dict[str, Any]


class MessageList(Listed[MessageObject, MessageId]):
    """One page of messages. `first_id` and `last_id` are ids of the page, or null if it is empty."""


class ThreadList(Listed[ThreadObject, ThreadId]):
    """One page of threads. `first_id` and `last_id` are ids of the page, or null if it is empty."""


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


class AssistantObject(Shown):
    """An assistant."""

    id: AssistantId
    object: Literal["assistant"]
    created_at: Time
    name: str | None
    description: str | None
    model: str
    instructions: str | None
    tools: of_runs.Tools
    top_p: of_runs.TopP
    temperature: of_runs.Temperature
    reasoning_effort: of_runs.ReasoningEffort | None
    tool_resources: dict[str, Any]
    metadata: Metadata
    response_format: of_runs.ResponseFormat


class FunctionCall(Shown):
    """The function of a call. `arguments` is the text of the model, which should be JSON."""

    name: str
    arguments: str


class ToolCall(Shown):
    """A call that a run waits for."""

    id: str
    type: Literal["function"]
    function: FunctionCall


class ToolCalls(Shown):
    """The calls that a run waits for."""

    tool_calls: Annotated[list[ToolCall], Field(min_length=1)]


class RequiredAction(Shown):
    """The action that a run waits for."""

    type: Literal["submit_tool_outputs"]
    submit_tool_outputs: ToolCalls


class LastError(Shown):
    """The reason why a run failed."""

    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str


class RunIncompleteDetails(Shown):
    """The reason why a run is incomplete. It is absent if the endpoint's content filter ended the run."""

    reason: Literal["max_completion_tokens", "max_prompt_tokens"] = "max_completion_tokens"


class Usage(Shown):
    """Tokens of one call of the model, or of all calls of a run."""

    prompt_tokens: Annotated[int, Field(ge=0)]
    completion_tokens: Annotated[int, Field(ge=0)]
    total_tokens: Annotated[int, Field(ge=0)]


class RunObject(Shown):
    """A run. The status `cancelling` occurs only in the response of cancel run and in streams."""

    id: RunId
    object: Literal["thread.run"]
    created_at: Time
    assistant_id: AssistantId
    thread_id: ThreadId
    status: Literal[
        "queued",
        "in_progress",
        "requires_action",
        "cancelling",
        "cancelled",
        "failed",
        "completed",
        "incomplete",
        "expired",
    ]
    started_at: Time | None
    expires_at: Time | None
    cancelled_at: Time | None
    failed_at: Time | None
    completed_at: Time | None
    required_action: RequiredAction | None
    last_error: LastError | None
    model: str
    instructions: str
    tools: of_runs.Tools
    tool_resources: dict[str, Any]
    metadata: Metadata
    temperature: of_runs.Temperature
    top_p: of_runs.TopP
    reasoning_effort: of_runs.ReasoningEffort | None
    max_completion_tokens: int | None
    max_prompt_tokens: int | None
    truncation_strategy: of_runs.TruncationStrategy
    incomplete_details: RunIncompleteDetails | None
    usage: Usage | None
    response_format: of_runs.ResponseFormat
    tool_choice: of_runs.ToolChoice
    parallel_tool_calls: bool


class CreatedMessage(Shown):
    """The message of a step."""

    message_id: MessageId


class MessageCreation(Shown):
    """A step that stored a message."""

    type: Literal["message_creation"]
    message_creation: CreatedMessage


class StepFunctionCall(FunctionCall):
    """The function of a call. `output` is null until it is submitted."""

    output: str | None


class StepToolCall(Shown):
    """A call of a step."""

    id: str
    type: Literal["function"]
    function: StepFunctionCall


class StepToolCalls(Shown):
    """A step that calls functions."""

    type: Literal["tool_calls"]
    tool_calls: Annotated[list[StepToolCall], Field(min_length=1)]


class RunStepObject(Shown):
    """A step of a run. A step is stored only when its message or its calls are complete, so no step has failed."""

    id: StepId
    object: Literal["thread.run.step"]
    created_at: Time
    run_id: RunId
    assistant_id: AssistantId
    thread_id: ThreadId
    type: Literal["message_creation", "tool_calls"]
    status: Literal["in_progress", "completed", "cancelled", "expired"]
    cancelled_at: Time | None
    completed_at: Time | None
    expires_at: Time | None
    expired_at: Time | None
    failed_at: None
    last_error: None
    step_details: Annotated[MessageCreation | StepToolCalls, Field(discriminator="type")]
    usage: Usage | None
    metadata: Metadata


class AssistantList(Listed[AssistantObject, AssistantId]):
    """One page of assistants. `first_id` and `last_id` are ids of the page, or null if it is empty."""


class RunList(Listed[RunObject, RunId]):
    """One page of runs. `first_id` and `last_id` are ids of the page, or null if it is empty."""


class RunStepList(Listed[RunStepObject, StepId]):
    """One page of steps. `first_id` and `last_id` are ids of the page, or null if it is empty."""


class DeletedAssistant(Shown):
    """The response of delete assistant."""

    id: AssistantId
    object: Literal["assistant.deleted"]
    deleted: Literal[True]


class ErrorDetails(Shown):
    """The details of an error. `param` is the place in the request, such as `content[0].text`."""

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
