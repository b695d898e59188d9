"""Modify message: `POST /threads/{threadId}/messages/{messageId}`."""

from shared.drafts import new_metadata
from shared.entry import Answer, serve
from shared.models import ModifyMessage
from shared.request import Request
from shared.store import messages
from shared.validation import validate
from shared.wire import message_json


def modify_message(request: Request) -> Answer:
    """Replace a message's metadata, or leave it when the body does not name it; answer the whole message."""
    thread_id, message_id = request.thread_id, request.message_id
    metadata = new_metadata(validate(ModifyMessage, request.body()))
    if metadata is None:
        message = messages.retrieve(request.project, thread_id, message_id)
    else:
        message = messages.modify(request.project, thread_id, message_id, metadata)
    return Answer(message_json(message))


handler = serve(modify_message)
