"""Create thread: `POST /threads`."""

from shared.entry import Response, serve
from shared.message_data import new_thread_data
from shared.request import Request
from shared.store import threads
from shared.wire import thread_json


def create_thread(request: Request) -> Response:
    """Create a thread with its first messages. Requests with the same Idempotency-Key create it only once."""
    body = request.body()
    data = new_thread_data(body, trusted=request.trusted)
    thread, replayed = threads.create(request.project, data, request.idempotency_key(body))
    return Response(thread_json(thread)).replay(replayed)


handler = serve(create_thread)
