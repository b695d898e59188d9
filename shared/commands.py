"""Commands: a producer puts a command into an inbound queue to create a message.

A command is the body of create message, with the fields of trusted writers. It also has `command_id`, `project` and
`thread_id`. A rule of EventBridge may send its whole event: the command is then the event's `detail`.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from shared import body, errors, ids
from shared.message_data import new_message_data
from shared.models import Model, Text
from shared.store import api_keys, messages
from shared.store.errors import IdempotencyKeyReusedError
from shared.store.idempotency import IdempotencyKey
from shared.validation import validate

# Longer than a command can wait: 14 days in its queue and 14 in the dead-letter queue, even if redriven more than once.
_REMEMBERED_SECONDS = 90 * 86_400
_ENVELOPE = ("command_id", "project", "thread_id")


def _check_project(name: str) -> str:
    if not api_keys.PROJECT.fullmatch(name):
        raise PydanticCustomError("project", "This is not the name of a project.")
    return name


def _check_thread_id(thread_id: str) -> str:
    if not ids.is_path_id(thread_id, "thread"):
        raise PydanticCustomError("thread_id", "This is not the id of a thread.")
    return thread_id


class Envelope(Model):
    """The command's own id, and the project and thread of its message."""

    command_id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    project: Annotated[Text, AfterValidator(_check_project)]
    thread_id: Annotated[str, StringConstraints(max_length=128), AfterValidator(_check_thread_id)]


def create_message(command: dict[str, Any]) -> None:
    """Create the message that a command describes, unless the same command has created it before.

    Raises `WireError` or an error of the store. A retry can succeed only after `BusyError`.
    """
    envelope = validate(Envelope, {name: command[name] for name in _ENVELOPE if name in command})
    message_body = {name: value for name, value in command.items() if name not in _ENVELOPE}
    data = new_message_data(message_body, trusted=True)
    # No Idempotency-Key of a client can contain a line feed, so a command's key never equals a client's key.
    key = IdempotencyKey(f"command\n{envelope.command_id}", body.hash_of(message_body), _REMEMBERED_SECONDS)
    try:
        messages.create(envelope.project, envelope.thread_id, data, key, during_run=True)
    except IdempotencyKeyReusedError:
        raise errors.command_id_reused(envelope.command_id) from None


def parse(text: str) -> dict[str, Any]:
    """Return the command in a queue's message. Raises `WireError` when there is none."""
    sent = body.parse(text)
    if "TopicArn" in sent and "Message" in sent:
        raise errors.command_in_notification()
    if "detail-type" not in sent:
        return sent
    detail = sent.get("detail")
    if not isinstance(detail, dict):
        raise errors.event_detail_not_a_command(detail)
    return detail
