"""Modify thread: `POST /threads/{threadId}`."""

from shared.drafts import new_metadata, new_tool_resources
from shared.entry import Answer, serve
from shared.models import ModifyThread
from shared.request import Request
from shared.store import threads
from shared.validation import validate
from shared.wire import thread_json


def modify_thread(request: Request) -> Answer:
    """Replace a thread's metadata and tool resources, each only when the body names it; answer the whole thread."""
    thread_id = request.thread_id
    asked = validate(ModifyThread, request.body())
    thread = threads.modify(request.project, thread_id, new_metadata(asked), new_tool_resources(asked))
    return Answer(thread_json(thread))


handler = serve(modify_thread)
