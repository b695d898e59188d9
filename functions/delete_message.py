"""Delete message: `DELETE /threads/{threadId}/messages/{messageId}`."""

from shared.entry import Response, serve
from shared.request import Request
from shared.store import messages
from shared.wire import deleted_json


def delete_message(request: Request) -> Response:
    """Delete one message."""
    thread_id, message_id = request.thread_id, request.message_id
    messages.delete(request.project, thread_id, message_id)
    return Response(deleted_json(message_id, "thread.message.deleted"))


handler = serve(delete_message)
