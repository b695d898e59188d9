"""Delete thread: `DELETE /threads/{threadId}`."""

from shared.entry import Response, serve
from shared.request import Request
from shared.store import threads
from shared.wire import deleted_json


def delete_thread(request: Request) -> Response:
    """Delete a thread with all its messages. From then on the thread is not found. It is erased soon after."""
    thread_id = request.thread_id
    threads.delete(request.project, thread_id)
    return Response(deleted_json(thread_id, "thread.deleted"))


handler = serve(delete_thread)
