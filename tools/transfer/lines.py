"""Lines of a file: threads and messages as the API answers them, checked by the rules that hold for creating them."""

import time
from typing import Annotated, Any, Literal

from pydantic import Field

from shared import body, ids
from shared.errors import WireError
from shared.message_data import new_message_data, new_metadata, new_tool_resources
from shared.models import Model, ModifyThread
from shared.records import NO_METADATA, NO_TOOL_RESOURCES, Message, Thread
from shared.store import items
from shared.store.errors import TooLargeError
from shared.validation import validate

# Clocks differ; what comes from further ahead would stand before messages that are created in the next minutes.
_SECONDS_AHEAD = 60
# Below this, no content is too large for one transaction.
_WEIGHED_FROM_CHARACTERS = 1_000_000

Moment = Annotated[int, Field(ge=0)]


class RefusedError(Exception):
    """A line that cannot be imported; the text is the reason, without its number."""


class _ThreadEnvelope(Model):
    """What a thread has beside what modify thread takes."""

    id: str
    object: Literal["thread"]
    created_at: Moment


class _MessageEnvelope(Model):
    """What a message has beside the body of create message. The last two follow from the others and are not kept."""

    id: str
    object: Literal["thread.message"]
    created_at: Moment
    thread_id: str
    role: Literal["user", "assistant"]
    completed_at: Moment | None = None
    incomplete_at: Moment | None = None


def parse(line: bytes) -> Thread | Message:
    """Return the thread or message of a line. Raises `RefusedError`."""
    try:
        found = _without_nothing(body.parse(line.decode("utf-8-sig")))
        if found.get("object") == "thread":
            return _thread(found)
        if found.get("object") == "thread.message":
            return _message(found)
    except UnicodeDecodeError:
        raise RefusedError("it is not UTF-8") from None
    except WireError as error:
        # Of a body that is no JSON the wire says "The body of the request could not be parsed ...: it is not".
        text = str(error)
        raise RefusedError(text.partition(": ")[2] if text.startswith("The body") else text) from None
    raise RefusedError("its 'object' is neither 'thread' nor 'thread.message'")


def _thread(found: dict[str, Any]) -> Thread:
    envelope, rest = _parted(_ThreadEnvelope, found)
    _check_id(envelope.id, "thread", envelope.created_at)
    asked = validate(ModifyThread, rest)
    return Thread(
        envelope.id,
        envelope.created_at,
        new_metadata(asked) or NO_METADATA,
        new_tool_resources(asked) or NO_TOOL_RESOURCES,
    )


def _message(found: dict[str, Any]) -> Message:
    envelope, rest = _parted(_MessageEnvelope, found)
    _check_id(envelope.id, "msg", envelope.created_at)
    if not ids.is_path_id(envelope.thread_id, "thread"):
        raise RefusedError(f"its thread_id '{envelope.thread_id}' is no id of a thread")
    # Whatever its role: what only a trusted writer may say is what a message that was read may hold.
    data = new_message_data(rest | {"role": "assistant"}, trusted=True)._replace(role=envelope.role)
    if len(data.content) + len(data.attachments) >= _WEIGHED_FROM_CHARACTERS:
        try:
            items.pack(data.content, data.attachments)
        except TooLargeError:
            raise RefusedError("it is too large to be stored") from None
    return Message(envelope.id, envelope.thread_id, envelope.created_at, data)


def _without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    """Return what a message or thread says, without what said nothing in the old API: a null status, no files."""
    nothing: tuple[tuple[str, object], ...] = (("status", None), ("file_ids", []))
    return {name: value for name, value in found.items() if (name, value) not in nothing}


def _parted(model: type[Any], found: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the part of an object that a model describes, validated, and the rest of it."""
    own = {name: value for name, value in found.items() if name in model.model_fields}
    return validate(model, own), {name: value for name, value in found.items() if name not in own}


def _check_id(own_id: str, prefix: str, created_at: int) -> None:
    if not ids.is_path_id(own_id, prefix):
        raise RefusedError(f"its id '{own_id}' is none: '{prefix}_', then letters, digits, '_' and '-', 128 in all")
    if created_at > time.time() + _SECONDS_AHEAD:
        raise RefusedError(f"its created_at {created_at} is more than a minute ahead")
    ulid = own_id.removeprefix(f"{prefix}_")
    if ids.is_ulid(ulid) and ids.milliseconds(ulid) // 1000 != created_at:
        raise RefusedError(f"its created_at is {created_at}, but its id was made at {ids.milliseconds(ulid) // 1000}")
