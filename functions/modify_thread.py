"""Modify thread: `POST /threads/{threadId}`."""

from shared.entry import Response, serve
from shared.message_data import new_metadata, new_tool_resources
from shared.models import ModifyThread
from shared.request import Request
from shared.store import threads
from shared.validation import validate
from shared.wire import thread_json


def modify_thread(request: Request) -> Response:
    """Replace a thread's metadata and tool resources, each only if it is in the body; return the whole thread."""
    thread_id = request.thread_id
    changes = validate(ModifyThread, request.body())
    thread = threads.modify(request.project, thread_id, new_metadata(changes), new_tool_resources(changes))
    return Response(thread_json(thread))


handler = serve(modify_thread)
