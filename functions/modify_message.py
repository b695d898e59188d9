"""Modify message: `POST /threads/{threadId}/messages/{messageId}`."""

from shared.entry import Response, serve
from shared.message_data import message_changes
from shared.request import Request
from shared.store import edits, messages
from shared.wire import message_json


def modify_message(request: Request) -> Response:
    """Replace a message's metadata, its content, or both, if they are in the body; return the whole message."""
    thread_id, message_id = request.thread_id, request.message_id
    content, metadata = message_changes(request.body(), trusted=request.trusted)
    if content is not None:
        message = edits.edit(request.project, thread_id, message_id, content, metadata)
    elif metadata is None:
        message = messages.retrieve(request.project, thread_id, message_id)
    else:
        message = messages.modify(request.project, thread_id, message_id, metadata)
    return Response(message_json(message))


handler = serve(modify_message)
