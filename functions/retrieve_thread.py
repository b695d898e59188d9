"""Retrieve thread: `GET /threads/{threadId}`."""

from shared.entry import Response, serve
from shared.request import Request
from shared.store import threads
from shared.wire import thread_json


def retrieve_thread(request: Request) -> Response:
    """Return one thread."""
    return Response(thread_json(threads.retrieve(request.project, request.thread_id)))


handler = serve(retrieve_thread)
