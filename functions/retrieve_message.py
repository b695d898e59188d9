"""Retrieve message: `GET /threads/{threadId}/messages/{messageId}`."""

from shared.entry import Response, serve
from shared.request import Request
from shared.store import messages
from shared.wire import message_json


def retrieve_message(request: Request) -> Response:
    """Return one message."""
    message = messages.retrieve(request.project, request.thread_id, request.message_id)
    return Response(message_json(message))


handler = serve(retrieve_message)
