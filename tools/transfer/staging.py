"""Staging: how the import writes a thread, so that nobody sees it before it is complete, and so that it may be killed.

The pending head of the thread names the import that writes it and is renewed while that lives. Who finds a pending head
that has not been renewed for a while takes it over: what the file says of the thread is the same, so its items are.
"""

import hashlib
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from shared.records import Message, Thread
from shared.store import aliases, erasure, head, items, keys, table, threads
from shared.store.errors import BusyError
from shared.store.messages import writes_of
from shared.store.table import CancelledError, ConditionFailedError, Item
from tools.transfer import positions
from tools.transfer.errors import RefusedError
from tools.transfer.spool import Spool

T = TypeVar("T")

_IMPORTED = {"imported": {"BOOL": True}}
# A call of BatchWriteItem takes 25 items and, from a slow line, should not take long.
_ITEMS_IN_ONE, _BYTES_IN_ONE = 25, 1_000_000
_IDS_IN_ONE = 100
_TRIES = 100
_SECONDS_FOR_A_CALL = 20.0

EXISTS, IMPORTED, TAKEN = "exists", "imported", "taken"


class LostError(Exception):
    """Another import has taken the thread over."""


class Writer(NamedTuple):
    """This run of the import, and the seconds without a sign of life after which another takes its thread over."""

    project: str
    token: str
    patience: float


class _Job(NamedTuple):
    """A thread that is being written: its items are the same for the same file, `digest` tells whether it is."""

    partition: str
    thread: Thread
    ulid: str
    entries: list[str]
    digest: str

    def head(self, state: str, ulids: Iterable[str]) -> Item:
        return head.item(self.partition, state, list(ulids)) | self.list_position()

    def list_position(self) -> Item:
        return {} if self.thread.id == keys.THREAD_PREFIX + self.ulid else {"ulid": {"S": self.ulid}}


def writer(project: str, patience: float) -> Writer:
    """Return a new run of the import."""
    return Writer(project, uuid.uuid4().hex, patience)


def state_of(project: str, thread_id: str) -> str | None:
    """Return EXISTS for a thread that is there, TAKEN for one that is being written, None for none.

    Raises `RefusedError` for one that is being erased, or is about to be.
    """
    found = patiently(lambda: table.get(_head_key(keys.thread_partition(project, thread_id))))
    return None if found is None else _state(thread_id, found)


def write(run: Writer, spool: Spool, number: int, thread: Thread) -> str:
    """Write a thread with its messages; return IMPORTED, EXISTS if it was there, TAKEN if another import writes it.

    Raises `RefusedError` for a thread that is being erased, `BusyError`.
    """
    job = _job(run.project, spool, number, thread)
    found = _begin(run, job)
    if found is not None:
        return found
    try:
        _put_messages(run, spool, job)
    except LostError:
        return TAKEN
    return IMPORTED


def patiently(work: Callable[[], T]) -> T:
    """Do something again while the table is busy, for about a minute. Raises `BusyError`."""
    busy = BusyError()
    for _ in islice(table.backoff(), _TRIES):
        table.set_deadline(_SECONDS_FOR_A_CALL)
        try:
            return work()
        except BusyError as error:
            busy = error
    raise busy


def missing(project: str, spool: Spool, thread_id: str) -> int:
    """Return how many of the spool's messages of a thread that exists were never in it, as far as the table shows.

    The table remembers the ids of deleted messages, but not those of this API's own form. Raises `BusyError`.
    """
    partition = keys.thread_partition(project, thread_id)
    messages, count = spool.messages(thread_id), 0
    while batch := [message.id for message in islice(messages, _IDS_IN_ONE)]:
        wanted = [keys.key(partition, keys.alias(own) if aliases.is_foreign(own) else own) for own in batch]
        count += len(batch) - len(patiently(partial(table.batch_get, wanted)))
    return count


def _job(project: str, spool: Spool, number: int, thread: Thread) -> _Job:
    ulid = positions.of_thread(project, thread, number)
    digest = hashlib.sha256(repr((ulid, thread)).encode())
    for message in spool.messages(thread.id):
        digest.update(repr(message).encode())
    return _Job(
        keys.thread_partition(project, thread.id),
        thread,
        ulid,
        threads.entries_of(project, ulid, thread.metadata),
        digest.hexdigest(),
    )


def _begin(run: Writer, job: _Job) -> str | None:
    """Put the thread's pending head and list it, for the sweep; return None, or what is there instead."""
    pending = job.head(head.PENDING, []) | {
        "entries": {"L": [{"S": job.entries[0]}]},
        "import": {"S": job.digest},
        "importer": {"S": run.token},
    }
    while True:
        try:
            patiently(
                lambda: table.transact(
                    [
                        {"Put": {"Item": pending, "ConditionExpression": head.IS_NEW}},
                        threads.entry_of(job.entries[0], job.ulid, job.thread.id),
                    ]
                )
            )
        except CancelledError as cancelled:
            found = cancelled.failed.get(0) or {}
            if found.get("importer") == pending["importer"]:
                return None  # our own, whose answer was lost
            state = _state(job.thread.id, found)
            if state == EXISTS or head.idle_seconds(found) < run.patience:
                return state
            if found["import"] == pending["import"]:
                return None if _renew(run, job.partition, found["importer"]["S"]) else TAKEN
            _clear(job.partition, found)
        else:
            return None


def _state(thread_id: str, found: Item) -> str:
    if head.is_open(found):
        return EXISTS
    if found["state"]["S"] == head.PENDING and "importer" in found:
        return TAKEN
    raise RefusedError(f"{thread_id} is being erased or created, or has expired: import it again in some minutes")


def _renew(run: Writer, partition: str, importer: str) -> bool:
    """Give a sign of life, in the name of this run; tell whether the thread still was in the hands of `importer`."""
    try:
        patiently(
            lambda: table.update(
                _head_key(partition),
                UpdateExpression="SET importer = :own, activeAt = :now",
                **_if_written_by(importer, own={"S": run.token}, now={"N": str(int(time.time()))}),
            )
        )
    except ConditionFailedError as failed:
        return bool(failed.item and failed.item.get("importer") == {"S": run.token})
    return True


def _clear(partition: str, found: Item) -> None:
    """Erase what an import of other files left behind; nothing, if that has changed since it was read."""
    with suppress(ConditionFailedError):  # after a lost answer it is a tombstone all the same
        patiently(lambda: table.update(**head.mark_expired(partition, found)))
    patiently(lambda: erasure.erase_thread(partition, time.monotonic() + 3600))


def _put_messages(run: Writer, spool: Spool, job: _Job) -> None:
    """Write the messages, then show the thread. Raises `LostError`."""
    ulids: deque[str] = deque(maxlen=head.RECENT)
    renewed = time.time()
    for batch in _batches(_items(spool, job, ulids)):
        # By the wall clock: a machine that slept finds that its thread is in other hands.
        if time.time() - renewed >= run.patience / 4:
            if not _renew(run, job.partition, run.token):
                raise LostError
            renewed = time.time()
        patiently(partial(table.batch_put, batch))
    shown = {"Item": job.head(head.OPEN, ulids), **_if_written_by(run.token)}
    thread = items.thread_item(job.partition, job.thread, job.entries) | job.list_position() | _IMPORTED
    listed = [threads.entry_of(entry, job.ulid, job.thread.id) for entry in job.entries]
    try:
        patiently(lambda: table.transact([{"Put": shown}, {"Put": {"Item": thread}}, *listed]))
    except CancelledError as cancelled:
        # Nobody but us could have opened it: then an answer was lost, and the call sent again.
        if not head.is_open(cancelled.failed.get(0)):
            raise LostError from cancelled


def _items(spool: Spool, job: _Job, ulids: deque[str]) -> Iterator[Item]:
    """Yield the items of all messages, in order; note the last ULIDs."""
    thread_id = job.thread.id
    stored = positions.of_messages(
        spool.messages(thread_id), lambda ulid: spool.has(thread_id, keys.MESSAGE_PREFIX + ulid)
    )
    for ulid, message in stored:
        ulids.append(ulid)
        yield from _message_items(job.partition, ulid, message)


def _message_items(partition: str, ulid: str, message: Message) -> Iterator[Item]:
    packed = items.pack(message.data.content, message.data.attachments)
    first, *others = (write["Put"]["Item"] for write in writes_of(partition, ulid, message.data, packed))
    if not aliases.is_foreign(message.id):
        yield first | _IMPORTED
    else:
        yield first | _IMPORTED | {"id": {"S": message.id}}
        yield {**keys.key(partition, keys.alias(message.id)), "v": {"N": str(head.SCHEMA)}, "ulid": {"S": ulid}}
    yield from others


def _batches(found: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    weight = 0
    for item in found:
        weight += items.weight(item)
        if len(batch) == _ITEMS_IN_ONE or (batch and weight > _BYTES_IN_ONE):
            yield batch
            batch, weight = [], items.weight(item)
        batch.append(item)
    if batch:
        yield batch


def _if_written_by(importer: str, **values: dict[str, str]) -> dict[str, Any]:
    return {
        "ConditionExpression": "#state = :pending AND importer = :importer",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":pending": {"S": head.PENDING},
            ":importer": {"S": importer},
            **{f":{name}": value for name, value in values.items()},
        },
    }


def _head_key(partition: str) -> keys.Key:
    return keys.key(partition, keys.HEAD)
