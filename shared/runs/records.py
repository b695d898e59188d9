"""What an assistant, a run and a step are, between the store, the model and the wire.

`None` means that no value was given: the wire then shows the API's default, and the request to the model omits it.
"""

from typing import Any, NamedTuple

Json = dict[str, Any]

ACTIVE = ("queued", "in_progress", "requires_action")
# Seconds from a run's creation to its expiry: ten minutes, as the old API had it.
SECONDS_TO_EXPIRY = 600


class AssistantData(NamedTuple):
    """All of an assistant that its author gives, in the order of the wire."""

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
    """What a run was created with and keeps to its end; what the assistant gave is filled in."""

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
    """A function that the model asks for; `arguments` is text that need not be JSON, `output` None until submitted."""

    id: str
    name: str
    arguments: str
    output: str | None = None


class Run(NamedTuple):
    """A run as it is stored; times are seconds since 1970, `metadata` is JSON.

    `steps` are the ids of its steps, oldest first. `waits_for` are the ids of the calls whose outputs it waits for.
    `last_ulid` is that of its newest message, empty when there is none. `outputs_hash` is that of the tool outputs that
    were submitted last.
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
    """A step of a run: a message when `message_id` is set, else calls of functions. None that is stored has failed."""

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
    """What came of one call of the model.

    `status` is completed, requires_action, incomplete or failed. `text` is None when there is no message to store,
    `refusal` what a model said that refused. `message_reason` says why a message was cut: max_tokens or content_filter.
    """

    status: str
    text: str | None = None
    refusal: str | None = None
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    failure: Failure | None = None
    incomplete_reason: str | None = None
    message_reason: str | None = None
