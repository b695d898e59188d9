"""Create message: `POST /threads/{threadId}/messages`."""

from shared.drafts import message_draft
from shared.entry import Answer, serve
from shared.request import Request
from shared.store import messages
from shared.wire import message_json


def create_message(request: Request) -> Answer:
    """Append a message to a thread; with an Idempotency-Key, once."""
    thread_id = request.thread_id
    body = request.body()
    draft = message_draft(body, trusted=request.trusted)
    once = request.once(body)
    message, replayed = messages.create(request.project, thread_id, draft, once)
    return Answer(message_json(message)).replay(replayed)


handler = serve(create_message)
