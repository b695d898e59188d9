"""Create run: `POST /threads/{threadId}/runs`."""

from shared.body import hash_of
from shared.request import Request
from shared.responses import Response
from shared.runs import bodies, stream
from shared.runs.models import CreateRun
from shared.runs.responses import run_response
from shared.runs.store import runs, steps
from shared.runs.store.runs import NewRun
from shared.runs.unknown_assistants import assistant_for_run
from shared.validation import validate


def create_run(request: Request) -> Response:
    """Create a run with its additional messages. Requests with the same Idempotency-Key create it only once."""
    thread_id = request.thread_id
    body = request.body()
    requested = validate(CreateRun, body)
    messages = bodies.additional_messages(requested, trusted=request.trusted)
    key = bodies.key_of_run(request.idempotency_key(body))
    assistant = assistant_for_run(request.project, bodies.assistant_id(requested), thread_id)
    new = NewRun(
        assistant_id=assistant.id,
        settings=bodies.run_settings(requested, assistant),
        metadata=bodies.run_metadata(requested),
        messages=messages,
        body_hash=hash_of(body),
        resent=request.is_resent,
    )
    run, replayed = runs.create(request.project, thread_id, new, key)
    if requested.stream:
        return stream.of_new_run(request.project, run).replay(replayed)
    return run_response(run, steps.waiting_calls(request.project, run)).replay(replayed)
