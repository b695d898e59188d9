"""Create thread and run: one transaction makes the thread, its first messages and its run visible."""

from shared import ids
from shared.records import ThreadData
from shared.runs.errors import NothingToRunError
from shared.runs.records import Run
from shared.runs.store import run_items, runs
from shared.runs.store.runs import NewRun
from shared.store import idempotency, keys, threads
from shared.store.idempotency import IdempotencyKey


def create(project: str, thread: ThreadData, new: NewRun, key: IdempotencyKey | None) -> tuple[Run, bool]:
    """Create a thread with a run; return the run, and whether an earlier create with the same key had made it.

    The run has the ULID of its thread, so a repeated request finds the run. Raises `NothingToRunError`,
    `IdempotencyKeyReusedError`, `TooLargeError`, `BusyError`.
    """
    if not (new.settings.instructions or thread.messages):
        return _made_before(project, new, key), True
    ulid = ids.new_ulid()
    thread_id = keys.THREAD_PREFIX + ulid
    run = run_items.new_run(thread_id, ulid, new.assistant_id, new.settings, new.metadata)
    writes = runs.run_writes(keys.thread_partition(project, thread_id), run, new.body_hash, [])
    extra = threads.Extra(runs.head_fields(run), tuple(writes))
    created, replayed = threads.create(project, thread, key, ulid, extra)
    if created.id == thread_id:
        return run, replayed
    return runs.as_created(project, created.id, created.id.removeprefix(keys.THREAD_PREFIX), new), replayed


def _made_before(project: str, new: NewRun, key: IdempotencyKey | None) -> Run:
    """Return the run that this key made while its assistant still had instructions.

    Raises `NothingToRunError`, `IdempotencyKeyReusedError`.
    """
    ulid = idempotency.find(keys.once_partition(project), key) if key else None
    if ulid is None:
        raise NothingToRunError
    return runs.as_created(project, keys.THREAD_PREFIX + ulid, ulid, new)
