"""Steps of a run. They are read by the ids in the run, never by Query, so each id in a run leads to a step."""

from collections.abc import Sequence

from shared import ids
from shared.records import Page, PageRequest
from shared.runs.errors import StepNotFoundError
from shared.runs.records import Run, Step, ToolCall
from shared.runs.store import documents, run_items, runs
from shared.store import keys, table
from shared.store.key_range import is_backward, key_range_of
from shared.store.pages import first_fitting
from shared.store.table import Item

# The bytes that a step's JSON takes in a response in addition to its calls.
_BYTES_OF_A_STEP = 2_000


def retrieve(project: str, thread_id: str, run_id: str, step_id: str) -> Step:
    """Return a step. Raises `StepNotFoundError`, `ThreadNotFoundError`, `RunNotFoundError`."""
    run = runs.retrieve(project, thread_id, run_id)
    found = load(project, run, [step_id] if step_id in run.steps else [])
    if not found:
        raise StepNotFoundError(step_id)
    return found[0]


def list_steps(project: str, thread_id: str, run_id: str, asked: PageRequest) -> Page[Step]:
    """Return one page of a run's steps. It is empty only when nothing follows.

    Raises `ThreadNotFoundError`, `RunNotFoundError`, and `StepNotFoundError` for a cursor that was made elsewhere.
    """
    run = runs.retrieve(project, thread_id, run_id)
    for cursor in filter(None, (asked.after, asked.before)):
        if not ids.is_ulid(cursor):
            raise StepNotFoundError(cursor)
    key_range = key_range_of(asked)
    ordered = run.steps if key_range.forward else run.steps[::-1]
    wanted = [step_id for step_id in ordered if key_range.holds(step_id.removeprefix(keys.STEP_PREFIX))]
    steps = load(project, run, wanted[: asked.limit])
    has_more = bool(steps) and steps[-1].id != wanted[-1]
    return Page(steps[::-1] if is_backward(asked) else steps, has_more=has_more)


def load(project: str, run: Run, step_ids: list[str]) -> list[Step]:
    """Return these steps of a run with their submitted outputs: as many as a response can hold."""
    partition = keys.thread_partition(project, run.thread_id)
    sorts = [keys.step(run.id, step_id) for step_id in step_ids]
    sorts += [keys.outputs(run.id, step_id) for step_id in step_ids]
    wanted = [keys.key(partition, sort) for sort in sorts]
    found = table.batch_get(wanted)
    # A batch may show a run but not yet its step, or not yet outputs that were submitted before.
    documents.complete(found, wanted[: len(step_ids)])
    taken = _outputs_of(run, step_ids, [*found.values()])
    documents.complete(found, [keys.key(partition, sort) for sort in taken])
    there = [item for sort in sorts[: len(step_ids)] if (item := found.get((partition, sort)))]
    stored = first_fitting(there, _size)
    submitted = [item for sort in sorts[len(step_ids) :] if (item := found.get((partition, sort)))]
    outputs = {item["messageId"]["S"]: value for item, value in zip(submitted, documents.read(submitted), strict=True)}
    return [
        run_items.step_of(item, calls, outputs.get(keys.outputs(run.id, run_items.step_id_of(item))) or {}, run)
        for item, calls in zip(stored, documents.read(stored), strict=True)
        if calls is not None  # otherwise its chunks do not exist, because the thread is being erased
    ]


def load_all(project: str, run: Run, step_ids: Sequence[str]) -> list[Step]:
    """Return all these steps of a run, even if they are too large for one response."""
    found: list[Step] = []
    wanted = [*step_ids]
    while wanted:
        loaded = load(project, run, wanted)
        found += loaded
        wanted = wanted[wanted.index(loaded[-1].id) + 1 :] if loaded else []
    return found


def waiting_calls(project: str, run: Run) -> tuple[ToolCall, ...]:
    """Return the calls whose outputs a run waits for, or an empty tuple if it does not wait."""
    if run.status != "requires_action":
        return ()
    found = load(project, run, [run.steps[-1]])
    return found[0].calls if found else ()


def _outputs_of(run: Run, step_ids: list[str], found: list[Item]) -> list[str]:
    """Return the sort keys of the outputs of these steps. Messages and the step that still waits have no outputs."""
    messages = {run_items.step_id_of(item) for item in found if "message" in item}
    taken = run.steps[:-1] if run.waits_for else run.steps
    return [keys.outputs(run.id, step_id) for step_id in step_ids if step_id in taken and step_id not in messages]


def _size(item: Item) -> int:
    return int(item["size"]["N"]) + _BYTES_OF_A_STEP
