"""Commands: what a producer puts into an inbound queue to have a message created.

A command is the body of create message, with what only trusted writers may say, and `command_id`, `project` and
`thread_id` beside it. A rule of EventBridge may send its event whole: the command is then the event's `detail`.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

from shared import body
from shared.message_data import new_message_data
from shared.models import Model
from shared.store import api_keys, messages
from shared.store.idempotency import IdempotencyKey
from shared.validation import validate

# Longer than a command can travel: 14 days in its queue, 14 in the dead-letter queue, redriven more than once.
_REMEMBERED_SECONDS = 90 * 86_400
_ENVELOPE = ("command_id", "project", "thread_id")


def _not_reserved(project: str) -> str:
    if not api_keys.PROJECT.fullmatch(project):
        raise ValueError(f"the name '{project}' is reserved")
    return project


class Envelope(Model):
    """Whose message it is, where it goes, and the name under which it is created once."""

    command_id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    project: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"), AfterValidator(_not_reserved)]
    thread_id: Annotated[str, StringConstraints(max_length=128, pattern=r"^thread_[A-Za-z0-9_-]+$")]


def create_message(command: dict[str, Any]) -> None:
    """Create the message that a command asks for, unless the same command has created it before.

    Raises `WireError` or an error of the store's; after any but `BusyError`, trying again is in vain.
    """
    envelope = validate(Envelope, {name: command[name] for name in _ENVELOPE if name in command})
    asked = {name: value for name, value in command.items() if name not in _ENVELOPE}
    data = new_message_data(asked, trusted=True)
    # No Idempotency-Key can hold a line feed, so a command never meets one of a client's.
    key = IdempotencyKey(f"command\n{envelope.command_id}", body.hash_of(asked), _REMEMBERED_SECONDS)
    messages.create(envelope.project, envelope.thread_id, data, key, during_run=True)


def parse(text: str) -> dict[str, Any]:
    """Return the command in a queue's message. Raises `WireError` when it is not a JSON object."""
    found = body.parse(text)
    detail = found.get("detail")
    return detail if isinstance(detail, dict) and "detail-type" in found else found
