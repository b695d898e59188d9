"""Assistants, runs and steps as records, between the store, the model and the JSON of the API.

`None` means that no value was given. Responses then show the API's default. The request to the model omits the value.
"""

from typing import Any, NamedTuple

Json = dict[str, Any]

ACTIVE = ("queued", "in_progress", "requires_action")
# Seconds from a run's creation to its expiry: ten minutes, as in the old API.
SECONDS_TO_EXPIRY = 600


class AssistantData(NamedTuple):
    """The fields of an assistant that a client gives, in the order of responses."""

    model: str
    name: str | None = None
    description: str | None = None
    instructions: str | None = None
    tools: tuple[Json, ...] = ()
    top_p: float | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    tool_resources: Json | None = None
    metadata: dict[str, str] | None = None
    response_format: Any = "auto"


class Assistant(NamedTuple):
    """An assistant; `created_at` in seconds since 1970."""

    id: str
    created_at: int
    data: AssistantData


class RunSettings(NamedTuple):
    """The settings of a run, which never change. Values from the assistant are filled in."""

    model: str
    instructions: str = ""
    tools: tuple[Json, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    tool_resources: Json | None = None
    response_format: Any = "auto"
    max_completion_tokens: int | None = None
    max_prompt_tokens: int | None = None
    truncation_strategy: Json | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None


class Usage(NamedTuple):
    """Tokens of one model call, or of several."""

    prompt: int = 0
    completion: int = 0


class Failure(NamedTuple):
    """Why a run failed: `code` is server_error, rate_limit_exceeded or invalid_prompt."""

    code: str
    message: str


class ToolCall(NamedTuple):
    """A function that the model calls. `arguments` is text that may not be JSON. `output` is None until submitted."""

    id: str
    name: str
    arguments: str
    output: str | None = None


class Run(NamedTuple):
    """A stored run. Times are in seconds since 1970, `metadata` is JSON.

    `steps` are the ids of its steps, oldest first. `waits_for` are the ids of the calls whose outputs it waits for.
    `last_ulid` is the ULID of its newest message, empty if it has none. `outputs_hash` is the hash of the tool outputs
    that were submitted last.
    """

    id: str
    thread_id: str
    assistant_id: str
    status: str
    created_at: int
    expires_at: int
    settings: RunSettings
    metadata: str = "{}"
    version: int = 1
    attempt: str = ""
    started_at: int | None = None
    ended_at: int | None = None
    usage: Usage = Usage()
    steps: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    last_ulid: str = ""
    last_error: Failure | None = None
    incomplete_reason: str | None = None
    body_hash: str = ""
    outputs_hash: str = ""


class Step(NamedTuple):
    """A step of a run: a message if `message_id` is set, otherwise calls of functions. No stored step has failed."""

    id: str
    run_id: str
    thread_id: str
    assistant_id: str
    created_at: int
    expires_at: int
    status: str = "in_progress"
    completed_at: int | None = None
    cancelled_at: int | None = None
    failed_at: int | None = None
    last_error: Failure | None = None
    usage: Usage = Usage()
    message_id: str | None = None
    calls: tuple[ToolCall, ...] = ()


class Outcome(NamedTuple):
    """The outcome of one call of the model.

    `status` is completed, requires_action, incomplete or failed. `text` is None if the answer has no text. `refusal` is
    the text of a model that refused. `message_reason` is why a message was cut: max_tokens or content_filter.
    """

    status: str
    text: str | None = None
    refusal: str | None = None
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    failure: Failure | None = None
    incomplete_reason: str | None = None
    message_reason: str | None = None
