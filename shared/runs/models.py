"""The bodies of requests for assistants and runs. If a run's field is absent or null, the assistant's value is used."""

import math
import re
import sys
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag, model_validator
from pydantic_core import PydanticCustomError

from shared.models import AnyObject, Metadata, Model, Text, ToolResources

MAX_INSTRUCTIONS = 256_000
MAX_OUTPUTS = 512 * 1024
# Bytes that the tools, the tool resources and the response format of an assistant or a run may have together.
MAX_TOOLS = 256 * 1024


def _double(value: object) -> object:
    """Return infinity for an integer that no double can hold, so that it is out of range and not of a wrong type."""
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return math.inf if value > 0 else -math.inf
    return value


Instructions = Annotated[str, StringConstraints(max_length=MAX_INSTRUCTIONS)]
Temperature = Annotated[float, Field(ge=0.0, le=2.0), BeforeValidator(_double)]
TopP = Annotated[float, Field(ge=0.0, le=1.0), BeforeValidator(_double)]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
FUNCTION_NAME = "^[a-zA-Z0-9_-]+$"


def _check_function_name(name: str) -> str:
    if not re.fullmatch(FUNCTION_NAME, name):
        raise PydanticCustomError("function_name", "This is not the name of a function.", {"pattern": FUNCTION_NAME})
    return name


ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
FunctionName = Annotated[str, StringConstraints(max_length=64), AfterValidator(_check_function_name)]


class FunctionDefinition(Model):
    """A function that the model may call."""

    name: FunctionName
    description: Annotated[str, StringConstraints(max_length=1_024)] | None = None
    parameters: AnyObject | None = None
    strict: bool | None = None


class FunctionTool(Model):
    """A function that the client's program runs."""

    type: Literal["function"]
    function: FunctionDefinition


class CodeInterpreterTool(Model):
    """Stored and shown, never sent to a model."""

    type: Literal["code_interpreter"]


class FileSearchTool(Model):
    """Stored and shown, never sent to a model."""

    type: Literal["file_search"]
    file_search: AnyObject | None = None


Tool = Annotated[FunctionTool | CodeInterpreterTool | FileSearchTool, Field(discriminator="type")]
Tools = Annotated[list[Tool], Field(max_length=128)]


class TextFormat(Model):
    """Plain text."""

    type: Literal["text"]


class JsonObjectFormat(Model):
    """Any JSON object."""

    type: Literal["json_object"]


class JsonSchemaFormat(Model):
    """JSON that matches a schema."""

    type: Literal["json_schema"]
    json_schema: AnyObject


def form_of(value: object) -> str | None:
    """Return the tag of the form of a value: a name or an object. pydantic also passes models."""
    return "<name>" if isinstance(value, str) else "<object>" if isinstance(value, dict | Model) else None


Format = Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")]
ResponseFormat = Annotated[
    Annotated[Literal["auto"], Tag("<name>")] | Annotated[Format, Tag("<object>")], Discriminator(form_of)
]


class NamedFunction(Model):
    """The function that the model must call."""

    name: FunctionName


class FunctionChoice(Model):
    """The choice of one function that the model must call."""

    type: Literal["function"]
    function: NamedFunction


class CodeInterpreterChoice(Model):
    """Sent to the model as auto."""

    type: Literal["code_interpreter"]


class FileSearchChoice(Model):
    """Sent to the model as auto."""

    type: Literal["file_search"]


Choice = Annotated[FunctionChoice | CodeInterpreterChoice | FileSearchChoice, Field(discriminator="type")]
ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<name>")] | Annotated[Choice, Tag("<object>")],
    Discriminator(form_of),
]


class TruncationStrategy(Model):
    """The rule that selects the thread's messages for the model."""

    type: Literal["auto", "last_messages"]
    last_messages: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _has_number(self) -> "TruncationStrategy":
        if self.type == "last_messages" and self.last_messages is None:
            raise PydanticCustomError("missing_field", "last_messages is missing.", {"field": "last_messages"})
        return self


class _Settings(Model):
    """The settings of an assistant, which a run may override."""

    model: ModelName | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    reasoning_effort: ReasoningEffort | None = None
    response_format: ResponseFormat | None = None
    tool_resources: ToolResources | None = None


class CreateAssistant(_Settings):
    """The body of create assistant."""

    model: ModelName
    name: Annotated[str, StringConstraints(max_length=256)] | None = None
    description: Annotated[str, StringConstraints(max_length=512)] | None = None


class ModifyAssistant(_Settings):
    """The body of modify assistant. Absent fields do not change. Null sets the default. The model cannot be null."""

    model: ModelName = ""
    name: Annotated[str, StringConstraints(max_length=256)] | None = None
    description: Annotated[str, StringConstraints(max_length=512)] | None = None


class _Run(_Settings):
    """The fields that create run and create thread and run have in common."""

    assistant_id: str
    stream: bool | None = None
    max_prompt_tokens: Annotated[int, Field(ge=256)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=16)] | None = None
    truncation_strategy: TruncationStrategy | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None


class CreateRun(_Run):
    """The body of create run. Each additional message is validated separately, like the body of create message."""

    additional_instructions: Instructions | None = None
    additional_messages: Annotated[list[dict[str, Any]], Field(max_length=16)] | None = None


class CreateThreadAndRun(_Run):
    """The body of create thread and run. The thread is validated separately, like the body of create thread."""

    thread: dict[str, Any] | None = None


class ModifyRun(Model):
    """The body of modify run. Absent metadata does not change. Null clears the metadata."""

    metadata: Metadata | None = None


class ToolOutput(Model):
    """The output of one call. If `output` is absent or null, an empty text is stored."""

    tool_call_id: Text
    output: Text | None = None


class SubmitToolOutputs(Model):
    """The body of submit tool outputs."""

    tool_outputs: list[ToolOutput]
    stream: bool | None = None
