"""Converts a request's body to the data of a message or thread that is stored."""

from typing import Any, Protocol

from shared.models import (
    Attachment,
    Content,
    CreateMessage,
    CreateThread,
    ModifyMessage,
    ModifyThread,
    TextPart,
    compact_json,
)
from shared.records import NO_METADATA, NO_TOOL_RESOURCES, MessageData, ThreadData
from shared.trusted import AssistantMessage, ModifyTrustedMessage, RefusalPart, TrustedContent, TrustedTextPart
from shared.validation import validate


class _HasMetadata(Protocol):
    @property
    def metadata(self) -> dict[str, str] | None: ...

    @property
    def model_fields_set(self) -> set[str]: ...


def new_message_data(body: dict[str, Any], *, trusted: bool, path: str = "") -> MessageData:
    """Return the message that the body of a create describes; `path` is the body's place in the request.

    Raises `WireError`.
    """
    if trusted and body.get("role") == "assistant":
        return _assistant_data(validate(AssistantMessage, body, path))
    return _message_data(validate(CreateMessage, body, path))


def new_thread_data(body: dict[str, Any], *, trusted: bool, path: str = "") -> ThreadData:
    """Return the thread that the body of a create describes; `path` is the body's place in the request.

    Raises `WireError`.
    """
    requested = validate(CreateThread, body, path)
    inside = f"{path}." if path else ""
    return ThreadData(
        new_metadata(requested) or NO_METADATA,
        new_tool_resources(requested) or NO_TOOL_RESOURCES,
        tuple(
            new_message_data(message, trusted=trusted, path=f"{inside}messages[{index}]")
            for index, message in enumerate(requested.messages or ())
        ),
    )


def message_changes(body: dict[str, Any], *, trusted: bool) -> tuple[str | None, str | None]:
    """Return the new content and metadata in the body of a modify, as JSON or None (unchanged). Raises `WireError`."""
    changes = validate(ModifyTrustedMessage, body) if trusted else validate(ModifyMessage, body)
    content = None if changes.content is None else _content(changes.content)
    return content, new_metadata(changes)


def new_metadata(body: _HasMetadata) -> str | None:
    """Return the metadata in a body, as JSON: `{}` for null, None when it is absent."""
    return compact_json(body.metadata or {}, ordered=True) if "metadata" in body.model_fields_set else None


def new_tool_resources(body: CreateThread | ModifyThread) -> str | None:
    """Return the tool resources in a body, as JSON: `{}` for null, None when they are absent."""
    return compact_json(body.tool_resources or {}, ordered=True) if "tool_resources" in body.model_fields_set else None


def _message_data(message: CreateMessage | AssistantMessage) -> MessageData:
    attachments = [_attachment(attachment) for attachment in message.attachments or ()]
    return MessageData(
        role=message.role,
        content=_content(message.content),
        attachments=compact_json(attachments),
        metadata=compact_json(message.metadata or {}, ordered=True),
    )


def _assistant_data(message: AssistantMessage) -> MessageData:
    details = message.incomplete_details
    return _message_data(message)._replace(
        assistant_id=message.assistant_id,
        run_id=message.run_id,
        status=message.status or "completed",
        incomplete_details=compact_json(details.model_dump()) if details else None,
    )


def _attachment(attachment: Attachment) -> dict[str, Any]:
    """Return an attachment as responses show it: `file_id` only when it was given, `tools` always."""
    file = {} if attachment.file_id is None else {"file_id": attachment.file_id}
    return {**file, "tools": [tool.model_dump() for tool in attachment.tools or ()]}


def _content(content: Content | TrustedContent) -> str:
    return compact_json([_text(content)] if isinstance(content, str) else [_stored(part) for part in content])


def _text(value: str, annotations: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": annotations or []}}


def _stored(part: Any) -> dict[str, Any]:
    """Return a part as responses show it: an image with its `detail`, a text with its annotations."""
    if isinstance(part, TextPart | TrustedTextPart):
        if isinstance(part.text, str):
            return _text(part.text)
        return _text(part.text.value, [note.model_dump(exclude_none=True) for note in part.text.annotations or ()])
    stored: dict[str, Any] = part.model_dump()
    if not isinstance(part, RefusalPart):
        image = stored[part.type]
        image["detail"] = image["detail"] or "auto"
    return stored
