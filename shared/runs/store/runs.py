"""Runs: create, retrieve, list, modify. The changes of a run's status are in `lifecycle`."""

from itertools import islice
from typing import NamedTuple

from shared import ids
from shared.records import MessageData, Page, PageRequest
from shared.runs.errors import NothingToRunError, RunExistsError, RunNotFoundError, RunStatusError
from shared.runs.records import Run, RunSettings
from shared.runs.store import documents, run_items
from shared.store import head, idempotency, items, keys, table
from shared.store.errors import TooLargeError
from shared.store.idempotency import IdempotencyKey
from shared.store.key_range import KeyRange, is_backward, key_range_of
from shared.store.messages import writes_of
from shared.store.pages import first_fitting
from shared.store.table import CancelledError, ConditionFailedError, Item, Write

# A transaction has at most 100 items and 4 MB.
_WRITES_IN_ONE = 100
_BYTES_IN_ONE = 3_900_000
_MAY_BEGIN = f"{head.IS_IDLE} AND (attribute_not_exists(lastRun) OR lastRun < :lastRun)"
_HAS_MESSAGE = "lastUlid > :none"
# The bytes that a run's JSON takes in a response in addition to its settings and metadata, including a model's error.
_BYTES_OF_A_RUN = 8_000


class NewRun(NamedTuple):
    """The data of a new run. `metadata` is JSON, `body_hash` is the hash of the request's body.

    `resent` means that an SDK has marked the request as sent again.
    """

    assistant_id: str
    settings: RunSettings
    metadata: str = "{}"
    messages: tuple[MessageData, ...] = ()
    body_hash: str = ""
    resent: bool = False


def create(project: str, thread_id: str, new: NewRun, key: IdempotencyKey | None) -> tuple[Run, bool]:
    """Create a run with its additional messages; return it, and whether an earlier create with the same key made it.

    One transaction moves the head, so a thread has one active run at most, and its runs have one order. Raises
    `ThreadNotFoundError`, `IdempotencyKeyReusedError`, `RunExistsError`, `NothingToRunError`, `TooLargeError`,
    `BusyError`.
    """
    answered = _answered(project, thread_id, new) if new.resent and not key else None
    return (answered, False) if answered else _create(project, thread_id, new, key)


def _create(project: str, thread_id: str, new: NewRun, key: IdempotencyKey | None) -> tuple[Run, bool]:
    partition = keys.thread_partition(project, thread_id)
    packed = [items.pack(data.content, data.attachments) for data in new.messages]
    ulid, above = ids.new_ulid(), ""
    while True:
        run = run_items.new_run(thread_id, ulid, new.assistant_id, new.settings, new.metadata)
        ulids = _ulids_above(above, len(packed))
        writes = [_begin(partition, run, ulids, new), *run_writes(partition, run, new.body_hash, ulids)]
        for message_ulid, data, content in zip(ulids, new.messages, packed, strict=True):
            writes += writes_of(partition, message_ulid, data, content)
        if key:
            writes.append(idempotency.marker(partition, key, ulid))
        _check_size(writes)
        try:
            table.transact(writes)
        except CancelledError as cancelled:
            made = _made_already(project, cancelled.failed, run, new, key)
            if made:
                return made
            current = head.require_open(cancelled.failed[0])
            if head.has_active_run(current):
                return _same_active(project, thread_id, head.last_run(current), new), False
            if not (new.settings.instructions or new.messages or head.last_ulid(current)):
                raise NothingToRunError from cancelled
            ulid, above = ids.new_ulid(above=head.last_run(current)), head.last_ulid(current)
            table.count_retries()
            continue
        return run, False


def run_writes(partition: str, run: Run, body_hash: str, message_ulids: list[str]) -> list[Write]:
    """Return the parts of a transaction that write a new run. The first writes its item. Raises `TooLargeError`."""
    last_ulid = message_ulids[-1] if message_ulids else ""
    writes = documents.puts(run_items.run_items(partition, run._replace(body_hash=body_hash, last_ulid=last_ulid)))
    writes[0]["Put"]["ConditionExpression"] = head.IS_NEW
    return writes


def head_fields(run: Run) -> Item:
    """Return the attributes of a head that make this run the active run."""
    return {"lastRun": {"S": run_items.ulid_of(run.id)}, "runUntil": {"N": str(run.expires_at)}}


def retrieve(project: str, thread_id: str, run_id: str) -> Run:
    """Return a run. Raises `ThreadNotFoundError`, `RunNotFoundError`."""
    partition = keys.thread_partition(project, thread_id)
    wanted = [keys.HEAD, run_id, keys.chunk(run_id, 1, 0)]
    found = table.batch_get([keys.key(partition, sort) for sort in wanted])
    current, item = found.get((partition, keys.HEAD)), found.get((partition, run_id))
    if _is_half_visible(current, item, run_id):
        current, item = table.transact_get([keys.key(partition, sort) for sort in (keys.HEAD, run_id)])
    newest = head.last_run(head.require_open(current))
    if item is None:
        raise RunNotFoundError(run_id)
    return _run(item, thread_id, found, newest)


def as_created(project: str, thread_id: str, ulid: str, new: NewRun) -> Run:
    """Return the run with this ULID in its state at its creation, whatever happened to it or its assistant later.

    `new` comes from an equal request. Its settings are used if the run was erased with its thread.
    """
    item = table.get(keys.key(keys.thread_partition(project, thread_id), keys.RUN_PREFIX + ulid))
    settings = _run(item, thread_id, {}).settings if item else new.settings
    return run_items.new_run(thread_id, ulid, new.assistant_id, settings, new.metadata)


def list_runs(project: str, thread_id: str, asked: PageRequest) -> Page[Run]:
    """Return one page of a thread's runs. It is empty only when nothing follows.

    A page ends at the limit, or at the largest size of a response. Raises `ThreadNotFoundError`, and `RunNotFoundError`
    for a cursor that was made elsewhere.
    """
    partition = keys.thread_partition(project, thread_id)
    key_range = key_range_of(asked)
    # The head is read first. A run begins only after the run before it has ended. All runs except the newest are
    # therefore visible to the Query.
    current = head.require_open(table.get(keys.key(partition, keys.HEAD)))
    for cursor in filter(None, (asked.after, asked.before)):
        if not ids.is_ulid(cursor):
            raise RunNotFoundError(cursor)
    newest = head.last_run(current)
    stored = _with_newest(partition, key_range, _query(partition, key_range, newest), newest)
    if any(item["lastUlid"]["S"] > head.last_ulid(current) for item in stored):
        # The Query may show a completed run before its message is visible. This read waits for the whole transaction.
        table.transact_get([keys.key(partition, keys.HEAD)])
    fitting = first_fitting(stored[: asked.limit], _size)
    runs = [
        run_items.run_of(item, settings, thread_id, newest)
        for item, settings in zip(fitting, documents.read(fitting), strict=True)
        if settings
    ]
    return Page(runs[::-1] if is_backward(asked) else runs, has_more=len(stored) > len(fitting))


def modify(project: str, thread_id: str, run_id: str, metadata: str | None) -> Run:
    """Replace a run's metadata (JSON) unless that is None, and return the run.

    Raises `RunStatusError` while the model works on it, `ThreadNotFoundError`, `RunNotFoundError`.
    """
    partition = keys.thread_partition(project, thread_id)
    while True:
        run = retrieve(project, thread_id, run_id)
        if run.status in ("queued", "in_progress"):
            raise RunStatusError("update", run.status)
        if metadata is None:
            return run
        update = run_items.update_unchanged(partition, run, {"metadata": {"S": metadata}})
        try:
            table.update(update.pop("Key"), **update)
        except ConditionFailedError:
            table.count_retries()
            continue  # the run changed or was erased after the read
        return run._replace(metadata=metadata)


def _begin(partition: str, run: Run, message_ulids: list[str], new: NewRun) -> Write:
    needs_message = not (new.settings.instructions or message_ulids)
    return head.change(
        partition,
        message_ulids,
        when=f"{_MAY_BEGIN} AND {_HAS_MESSAGE}" if needs_message else _MAY_BEGIN,
        sets=head_fields(run),
        values={":none": {"S": ""}} if needs_message else {},
    )


def _made_already(
    project: str, failed: dict[int, Item | None], run: Run, new: NewRun, key: IdempotencyKey | None
) -> tuple[Run, bool] | None:
    """Return the run if it exists already, and whether another request with the same key made it. Otherwise None.

    Raises `ThreadNotFoundError`, `IdempotencyKeyReusedError`.
    """
    current = head.require_open(failed[0]) if 0 in failed else None
    # The marker comes last. No other part after the run has a condition that can fail.
    stored = failed[max(failed)] if key and max(failed) > 1 else None
    if key and stored:
        first = idempotency.first_ulid(stored, key)
        return as_created(project, run.thread_id, first, new), first != run_items.ulid_of(run.id)
    # Only this call knows the id. If the run exists, the response to an earlier attempt was lost.
    is_own = 1 in failed or (current is not None and head.last_run(current) == run_items.ulid_of(run.id))
    return (run, False) if is_own else None


def _ulids_above(above: str, count: int) -> list[str]:
    ulids: list[str] = []
    for _ in range(count):
        above = ids.new_ulid(above)
        ulids.append(above)
    return ulids


def _check_size(writes: list[Write]) -> None:
    weight = sum(items.weight(write["Put"]["Item"]) for write in writes if "Put" in write)
    if len(writes) > _WRITES_IN_ONE or weight > _BYTES_IN_ONE:
        raise TooLargeError


def _answered(project: str, thread_id: str, new: NewRun) -> Run | None:
    """Return the newest run if a resent request has made it and its answer is the newest message.

    A fast model answers before an SDK sends a request again. Raises `ThreadNotFoundError`.
    """
    current = head.require_open(table.get(keys.key(keys.thread_partition(project, thread_id), keys.HEAD)))
    if not head.last_run(current):
        return None
    run = retrieve(project, thread_id, keys.RUN_PREFIX + head.last_run(current))
    is_answered = run.status in ("completed", "incomplete") and run.last_ulid == head.last_ulid(current)
    return run if is_answered and run.body_hash == new.body_hash else None


def _same_active(project: str, thread_id: str, ulid: str, new: NewRun) -> Run:
    """Return the active run if a resent request has made it. Raises `RunExistsError`."""
    run_id = keys.RUN_PREFIX + ulid
    run = retrieve(project, thread_id, run_id) if new.resent else None
    if run is None or run.body_hash != new.body_hash:
        raise RunExistsError(run_id)
    return run


def _is_half_visible(current: Item | None, item: Item | None, run_id: str) -> bool:
    """Return whether a batch has shown only a part of a transaction: the head or the run, but not both."""
    if current is None:
        return item is not None
    if item is None:
        return head.last_run(current) == run_items.ulid_of(run_id)
    return str(item["lastUlid"]["S"]) > head.last_ulid(current)


def _run(item: Item, thread_id: str, known: dict[tuple[str, str], Item], newest: str = "") -> Run:
    (settings,) = documents.read([item], known)
    if settings is None:
        raise RunNotFoundError(item["messageId"]["S"])
    return run_items.run_of(item, settings, thread_id, newest)


def _query(partition: str, key_range: KeyRange, newest: str) -> list[Item]:
    """Return the runs of a range that a Query shows, up to and including the run with the ULID `newest`."""
    low, high = key_range.bounds(keys.RUN_PREFIX)
    high = min(high, keys.RUN_PREFIX + newest)
    if low > high:
        return []
    options = {"ScanIndexForward": key_range.forward, "Limit": key_range.size}
    return [*islice(table.query(partition, low, high, **options), key_range.size)]


def _with_newest(partition: str, key_range: KeyRange, stored: list[Item], newest: str) -> list[Item]:
    """Return the items, plus the newest run's item if it is in the range and the Query did not show it."""
    is_shown = any(item["messageId"]["S"] == keys.RUN_PREFIX + newest for item in stored)
    if not newest or is_shown or not key_range.holds(newest) or (key_range.forward and len(stored) == key_range.size):
        return stored
    (item,) = table.transact_get([keys.key(partition, keys.RUN_PREFIX + newest)])
    if item is None:
        return stored
    return [*stored, item] if key_range.forward else [item, *stored]


def _size(item: Item) -> int:
    return int(item["size"]["N"]) + 2 * len(item["metadata"]["S"].encode()) + _BYTES_OF_A_RUN
