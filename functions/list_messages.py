"""List messages: `GET /threads/{threadId}/messages`."""

from shared.entry import Response, serve
from shared.request import Request
from shared.store import pages
from shared.wire import list_json, message_json


def list_messages(request: Request) -> Response:
    """Return one page of a thread's messages, or only of the messages of one run."""
    thread_id = request.thread_id
    page = pages.list_messages(request.project, thread_id, request.page_request("msg"), request.run_id)
    return Response(list_json(page, message_json))


handler = serve(list_messages)
