"""Create message: `POST /threads/{threadId}/messages`."""

from shared.entry import Response, serve
from shared.message_data import new_message_data
from shared.request import Request
from shared.store import messages
from shared.wire import message_json


def create_message(request: Request) -> Response:
    """Append a message to a thread. Requests with the same Idempotency-Key append it only once."""
    thread_id = request.thread_id
    body = request.body()
    data = new_message_data(body, trusted=request.trusted)
    key = request.idempotency_key(body)
    message, replayed = messages.create(request.project, thread_id, data, key, during_run=request.trusted)
    return Response(message_json(message)).replay(replayed)


handler = serve(create_message)
