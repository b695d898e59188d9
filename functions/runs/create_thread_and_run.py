"""Create thread and run: `POST /threads/runs`."""

from shared.body import hash_of
from shared.message_data import new_thread_data
from shared.request import Request
from shared.responses import Response
from shared.runs import bodies, stream
from shared.runs.models import CreateThreadAndRun
from shared.runs.responses import run_response
from shared.runs.store import threads_with_runs
from shared.runs.store.runs import NewRun
from shared.runs.unknown_assistants import assistant_for_run
from shared.validation import validate


def create_thread_and_run(request: Request) -> Response:
    """Create a thread with its first messages and a run. Requests with the same Idempotency-Key do so only once."""
    body = request.body()
    requested = validate(CreateThreadAndRun, body)
    thread = new_thread_data(requested.thread or {}, trusted=request.trusted, path="thread")
    key = bodies.key_of_run(request.idempotency_key(body))
    assistant = assistant_for_run(request.project, bodies.assistant_id(requested))
    new = NewRun(
        assistant_id=assistant.id,
        settings=bodies.run_settings(requested, assistant),
        metadata=bodies.run_metadata(requested),
        body_hash=hash_of(body),
    )
    run, replayed = threads_with_runs.create(request.project, thread, new, key)
    if requested.stream:
        return stream.of_new_thread_and_run(request.project, run).replay(replayed)
    return run_response(run).replay(replayed)
