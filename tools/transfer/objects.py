"""Converts objects from files to records. The rules are mostly those of the create operations."""

import time
from collections.abc import Callable
from typing import Any

from shared import ids
from shared.errors import WireError
from shared.models import compact_json
from shared.records import Message, MessageData, Thread
from shared.runs.bodies import new_assistant_data
from shared.runs.models import CreateAssistant
from shared.runs.records import Assistant
from shared.store import items
from shared.store.errors import TooLargeError
from shared.validation import validate
from tools.transfer.errors import RefusedError
from tools.transfer.models import ImportedMessage, ImportedObject, ImportedThread

# Clocks differ. A message with a later time would come before messages that are created in the next minutes.
_SECONDS_AHEAD = 60
# A shorter content is never too large for one transaction.
_WEIGHED_FROM_CHARACTERS = 1_000_000
_MAX_DEPTH = 64
# The fields that an assistant may have in the two versions of the old API.
_OF_ASSISTANT = {"id", "object", "created_at", "file_ids", *CreateAssistant.model_fields}
_TOOLS = {"function", "code_interpreter", "file_search", "retrieval"}


def parse(value: Any) -> Thread | Message | Assistant:
    """Return the thread, message or assistant that a JSON value describes. Raises `RefusedError`."""
    if isinstance(value, RefusedError):
        raise value
    kind = value.get("object") if isinstance(value, dict) else None
    parse_kind = _KINDS.get(kind) if isinstance(kind, str) else None
    if kind in ("thread.run", "thread.run.step"):
        raise RefusedError(f"its 'object' is '{kind}', and runs are not moved: see docs/migrate.md")
    if parse_kind is None:
        said = f"its 'object' is '{kind:.40}'" if isinstance(kind, str) else "it has no 'object' that says what it is"
        raise RefusedError(f"{said}: docs/migrate.md lists what can be imported")
    try:
        if _depth(value) <= _MAX_DEPTH:
            return parse_kind(value)
    except WireError as error:
        raise RefusedError(str(error)) from None
    except RecursionError:
        pass
    raise RefusedError("it is nested too deeply")


def left_out(value: dict[str, Any]) -> list[str]:
    """Return what `parse` omits from an assistant: fields and kinds of tools that this API does not have."""
    fields = [f"the field '{name}'" for name, field in value.items() if field is not None and name not in _OF_ASSISTANT]
    return fields + [f"a tool '{tool['type']}'" for tool in value.get("tools") or () if _is_unknown(tool)]


def with_attachments(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a message's fields. `file_ids`, from the first version of the old API, become attachments."""
    file_ids = fields.get("file_ids") or []
    if not isinstance(file_ids, list):
        return fields
    rest = {name: value for name, value in fields.items() if name != "file_ids"}
    attachments = rest.get("attachments") or []
    known = [attachment.get("file_id") for attachment in attachments if isinstance(attachment, dict)]
    added = [{"file_id": file_id, "tools": []} for file_id in file_ids if file_id not in known]
    return rest | {"attachments": [*attachments, *added]} if added else rest


def _thread(value: dict[str, Any]) -> Thread:
    thread = validate(ImportedThread, {name: field for name, field in value.items() if field is not None})
    _check_id(thread.id, "thread", thread.created_at)
    metadata, resources = (compact_json(field, ordered=True) for field in (thread.metadata, thread.tool_resources))
    return Thread(thread.id, thread.created_at, metadata, resources)


def _message(value: dict[str, Any]) -> Message:
    message = validate(ImportedMessage, _as_stored(value))
    _check_id(message.id, "msg", message.created_at)
    if not ids.is_path_id(message.thread_id, "thread"):
        raise RefusedError(f"its thread_id '{message.thread_id}' is not the id of a thread")
    # If a run was writing the message when the message was saved, no run will finish it here.
    status = "incomplete" if message.status == "in_progress" else message.status
    if message.incomplete_details and status != "incomplete":
        raise RefusedError("it has incomplete_details, but its status is not 'incomplete'")
    fields = message.model_dump(exclude_unset=True)
    details = fields.get("incomplete_details")
    data = MessageData(
        message.role,
        compact_json(fields["content"]),
        compact_json(fields.get("attachments", [])),
        compact_json(message.metadata, ordered=True),
        message.assistant_id,
        message.run_id,
        status,
        compact_json(details) if details else None,
    )
    if len(data.content) + len(data.attachments) >= _WEIGHED_FROM_CHARACTERS:
        try:
            items.pack(data.content, data.attachments)
        except TooLargeError:
            raise RefusedError("it is too large to be stored") from None
    return Message(message.id, message.thread_id, message.created_at, data)


def _assistant(value: dict[str, Any]) -> Assistant:
    fields = {name: field for name, field in value.items() if field is not None and name in _OF_ASSISTANT}
    own: dict[str, Any] = {name: fields.pop(name) for name in ("id", "object", "created_at") if name in fields}
    envelope = validate(ImportedObject, own)
    _check_id(envelope.id, "asst", envelope.created_at)
    # The old API showed 1.0 if no request gave a value, and some models refuse requests with these parameters.
    for name in ("temperature", "top_p"):
        if fields.get(name) == 1 and fields[name] is not True:
            del fields[name]
    return Assistant(envelope.id, envelope.created_at, new_assistant_data(_of_version_2(fields)))


def _of_version_2(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an assistant's fields, converted from the first version of the old API to the second."""
    tools, file_ids = fields.get("tools"), fields.get("file_ids")
    if isinstance(tools, list):
        fields["tools"] = [_tool(tool) for tool in tools if not _is_unknown(tool)]
    resources = fields.get("tool_resources", {})
    interpreter = (resources.get("code_interpreter") or {}) if isinstance(resources, dict) else None
    known = (interpreter.get("file_ids") or []) if isinstance(interpreter, dict) else None
    if isinstance(file_ids, list) and isinstance(interpreter, dict) and isinstance(known, list):
        del fields["file_ids"]
        if added := [file_id for file_id in file_ids if file_id not in known]:
            fields["tool_resources"] = resources | {"code_interpreter": interpreter | {"file_ids": [*known, *added]}}
    return fields


def _tool(tool: Any) -> Any:
    if not isinstance(tool, dict):
        return tool
    given = {name: field for name, field in tool.items() if field is not None}
    return {"type": "file_search"} if given.get("type") == "retrieval" else given


def _is_unknown(tool: Any) -> bool:
    kind = tool.get("type") if isinstance(tool, dict) else None
    return isinstance(kind, str) and kind not in _TOOLS


# The kinds of objects that can be imported, by the value of `object`.
_KINDS: dict[str, Callable[[dict[str, Any]], Thread | Message | Assistant]] = {
    "thread": _thread,
    "thread.message": _message,
    "assistant": _assistant,
}


def _as_stored(value: dict[str, Any]) -> dict[str, Any]:
    """Return a message without nulls, with content and attachments in the stored form."""
    fields = with_attachments({name: field for name, field in value.items() if field is not None})
    content = _without_nulls(fields.get("content"))
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if isinstance(content, list):
        fields["content"] = [_stored_part(part) for part in content]
    attachments = _without_nulls(fields.get("attachments"))
    if isinstance(attachments, list):
        fields["attachments"] = [{"tools": [], **one} if isinstance(one, dict) else one for one in attachments]
    return fields


def _stored_part(part: Any) -> Any:
    defaults: dict[Any, dict[str, Any]] = {
        "text": {"annotations": []},
        "image_url": {"detail": "auto"},
        "image_file": {"detail": "auto"},
    }
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in defaults:
        return part
    own = part.get(kind)
    if isinstance(own, str) and kind == "text":
        own = {"value": own}
    return part | {kind: defaults[kind] | own} if isinstance(own, dict) else part


def _without_nulls(value: Any) -> Any:
    """Return a value without null fields, which mean absent. Annotations of web pages are not changed."""
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    if isinstance(value, dict) and value.get("type") != "url_citation":
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return value


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _check_id(own_id: str, prefix: str, created_at: int) -> None:
    if not ids.is_path_id(own_id, prefix):
        raise RefusedError(
            f"its id '{own_id:.140}' is not '{prefix}_' followed by letters, digits, '_' and '-', 128 in all"
        )
    if created_at > time.time() + _SECONDS_AHEAD:
        raise RefusedError(f"its created_at {created_at} is more than a minute in the future")
    ulid = own_id.removeprefix(f"{prefix}_")
    if ids.is_ulid(ulid) and ids.milliseconds(ulid) // 1000 != created_at:
        raise RefusedError(
            f"its created_at is {created_at}, but the time in its id is {ids.milliseconds(ulid) // 1000}"
        )
