"""Converts the bodies of requests to the data of assistants and runs that is stored."""

from typing import Any

from shared import errors, ids
from shared.body import hash_of
from shared.message_data import new_message_data, new_metadata
from shared.models import compact_json
from shared.records import NO_METADATA, MessageData
from shared.runs.models import (
    MAX_OUTPUTS,
    MAX_TOOLS,
    CreateAssistant,
    CreateRun,
    CreateThreadAndRun,
    ModifyAssistant,
    ModifyRun,
    SubmitToolOutputs,
)
from shared.runs.records import Assistant, AssistantData, RunSettings
from shared.runs.store.lifecycle import Outputs
from shared.store.idempotency import IdempotencyKey
from shared.validation import validate


def new_assistant_data(body: dict[str, Any]) -> AssistantData:
    """Return the assistant that the body of a create describes. Raises `WireError`."""
    return _assistant_data(validate(CreateAssistant, body).model_dump(exclude_unset=True))


def assistant_changes(body: dict[str, Any]) -> dict[str, Any]:
    """Return the values that the body of a modify changes. Raises `WireError`."""
    return validate(ModifyAssistant, body).model_dump(exclude_unset=True)


def modified(assistant: AssistantData, changes: dict[str, Any]) -> AssistantData:
    """Return an assistant with these changes. Raises `WireError` if its tools are then too large."""
    return _assistant_data(assistant._asdict() | changes)


def assistant_id(body: CreateRun | CreateThreadAndRun) -> str:
    """Return the id of the assistant that a body names. Raises `WireError` if it does not have the form of an id."""
    if not ids.is_path_id(body.assistant_id, "asst"):
        raise errors.malformed_id("assistant_id", body.assistant_id, "asst")
    return body.assistant_id


def key_of_run(key: IdempotencyKey | None) -> IdempotencyKey | None:
    """Return the Idempotency-Key of a request that creates a run. It differs from the same key of another operation."""
    # No key of a client can contain a line feed.
    return key._replace(key=f"run\n{key.key}") if key else None


def run_settings(body: CreateRun | CreateThreadAndRun, assistant: Assistant) -> RunSettings:
    """Return the settings of a new run: each value comes from its body or else its assistant. Raises `WireError`."""
    own = body.model_dump(exclude_unset=True)
    settings = RunSettings(**_given(assistant.data._asdict(), RunSettings) | _given(own, RunSettings))
    instructions = [settings.instructions, own.get("additional_instructions") or ""]
    settings = settings._replace(tools=tuple(settings.tools), instructions="\n".join(filter(None, instructions)))
    _check_tool_choice(settings)
    _check_tools(settings.tools, settings.tool_resources, settings.response_format)
    return settings


def additional_messages(body: CreateRun, *, trusted: bool) -> tuple[MessageData, ...]:
    """Return the messages that a run adds to its thread. Raises `WireError`."""
    return tuple(
        new_message_data(message, trusted=trusted, path=f"additional_messages[{index}]")
        for index, message in enumerate(body.additional_messages or ())
    )


def run_metadata(body: CreateRun | CreateThreadAndRun | ModifyRun) -> str:
    """Return the metadata in the body of a run, as JSON."""
    return new_metadata(body) or NO_METADATA


def tool_outputs(body: SubmitToolOutputs, *, resent: bool) -> Outputs:
    """Return the tool outputs that a body submits. Raises `WireError`."""
    by_call = tuple((output.tool_call_id, output.output or "") for output in body.tool_outputs)
    size = sum(len(output.encode()) for _, output in by_call)
    if size > MAX_OUTPUTS:
        raise errors.string_too_long("tool_outputs", MAX_OUTPUTS, size)
    return Outputs(by_call, hash_of(dict(sorted(by_call))), resent)


def _assistant_data(values: dict[str, Any]) -> AssistantData:
    """Return an assistant with these values. None means the default of a value."""
    kept = _given(values, AssistantData)
    data = AssistantData(**kept | {"tools": tuple(kept.get("tools", ()))})
    _check_tools(data.tools, data.tool_resources, data.response_format)
    return data


def _given(values: dict[str, Any], record: type[AssistantData | RunSettings]) -> dict[str, Any]:
    """Return the values that are fields of a record and are not None."""
    return {name: value for name, value in values.items() if name in record._fields and value is not None}


def _check_tool_choice(settings: RunSettings) -> None:
    choice = settings.tool_choice
    if isinstance(choice, dict) and choice["type"] == "function":
        name = choice["function"]["name"]
        if name not in {tool["function"]["name"] for tool in settings.tools if tool["type"] == "function"}:
            raise errors.unknown_function(name)


def _check_tools(*values: Any) -> None:
    if sum(len(compact_json(value).encode()) for value in values) > MAX_TOOLS:
        raise errors.tools_too_large(MAX_TOOLS)
