"""Create thread: `POST /threads`."""

from shared.entry import Response, serve
from shared.message_data import new_message_data, new_metadata, new_tool_resources
from shared.models import CreateThread
from shared.records import NO_METADATA, NO_TOOL_RESOURCES
from shared.request import Request
from shared.store import threads
from shared.validation import validate
from shared.wire import thread_json


def create_thread(request: Request) -> Response:
    """Create a thread with its first messages; with an Idempotency-Key, once."""
    body = request.body()
    asked = validate(CreateThread, body)
    first_messages = [
        new_message_data(message, trusted=request.trusted, path=f"messages[{place}]")
        for place, message in enumerate(asked.messages or ())
    ]
    thread, replayed = threads.create(
        request.project,
        new_metadata(asked) or NO_METADATA,
        new_tool_resources(asked) or NO_TOOL_RESOURCES,
        first_messages,
        request.idempotency_key(body),
    )
    return Response(thread_json(thread)).replay(replayed)


handler = serve(create_thread)
