"""Staging: writes a thread that becomes visible only when it is complete, even if the import is killed meanwhile.

The pending head of the thread names the import that writes the thread. This import renews the head while it runs. If a
pending head was not renewed for a while, another import takes the thread over. The same files give the same items.
"""

import hashlib
import time
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
# A call of BatchWriteItem takes at most 25 items. Fewer bytes keep the call short on a slow connection.
_ITEMS_IN_ONE, _BYTES_IN_ONE = 25, 1_000_000
_IDS_IN_ONE = 100
_TRIES = 100
_SECONDS_FOR_A_CALL = 20.0

EXISTS, IMPORTED, TAKEN = "exists", "imported", "taken"


class LostError(Exception):
    """Another import has taken the thread over."""


class Writer(NamedTuple):
    """This run of the import. It takes over a thread that another run has not renewed for `patience` seconds."""

    project: str
    token: str
    patience: float


class _Job(NamedTuple):
    """A thread that is being written. Equal digests mean equal items."""

    partition: str
    thread: Thread
    ulid: str
    entries: list[str]
    digest: str

    def head(self, state: str, ulids: Iterable[str]) -> Item:
        return head.item(self.partition, state, list(ulids)) | self.list_position()

    def list_position(self) -> Item:
        return {} if self.thread.id == keys.THREAD_PREFIX + self.ulid else {"ulid": {"S": self.ulid}}


def state_of(project: str, thread_id: str) -> str | None:
    """Return EXISTS, TAKEN if another import writes the thread, or None if there is no such thread.

    Raises `RefusedError` for a thread that is being erased or will be.
    """
    stored = patiently(lambda: table.get(_head_key(keys.thread_partition(project, thread_id))))
    return None if stored is None else _state(thread_id, stored)


def write(run: Writer, spool: Spool, number: int, thread: Thread) -> str:
    """Write a thread with its messages; return IMPORTED, EXISTS, or TAKEN if another import writes it.

    Raises `RefusedError` for a thread that is being erased, `BusyError`.
    """
    job = _job(run.project, spool, number, thread)
    state = _begin(run, job)
    if state is not None:
        return state
    try:
        _put_messages(run, spool, job)
    except LostError:
        return TAKEN
    return IMPORTED


def patiently(work: Callable[[], T]) -> T:
    """Retry while the table is busy, for about a minute. Raises `BusyError`."""
    busy = BusyError()
    for _ in islice(table.backoff(), _TRIES):
        table.set_deadline(_SECONDS_FOR_A_CALL)
        try:
            return work()
        except BusyError as error:
            busy = error
    raise busy


def missing(project: str, spool: Spool, thread_id: str) -> int:
    """Return how many messages that the spool has of an existing thread are missing in the table.

    Deleted messages do not count, except messages with ids of this API's own form: the table does not remember these
    ids. Raises `BusyError`.
    """
    partition = keys.thread_partition(project, thread_id)
    messages, count = spool.messages(thread_id), 0
    while batch := [message.id for message in islice(messages, _IDS_IN_ONE)]:
        wanted = [keys.key(partition, keys.alias(own) if aliases.is_foreign(own) else own) for own in batch]
        count += len(batch) - len(patiently(partial(table.batch_get, wanted)))
    return count


def _job(project: str, spool: Spool, number: int, thread: Thread) -> _Job:
    ulid = positions.in_list(project, thread, number)
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
    """Put the thread's pending head, and its entry for the sweep. Return None, or the state that prevents this."""
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
            stored = cancelled.failed.get(0) or {}
            if stored.get("importer") == pending["importer"]:
                return None  # this import put the head itself, but the response was lost
            state = _state(job.thread.id, stored)
            if state == EXISTS or head.idle_seconds(stored) < run.patience:
                return state
            if stored["import"] == pending["import"]:
                return None if _renew(run, job.partition, stored["importer"]["S"]) else TAKEN
            _clear(job.partition, stored)
        else:
            return None


def _state(thread_id: str, stored: Item) -> str:
    if head.is_open(stored):
        return EXISTS
    if stored["state"]["S"] == head.PENDING and "importer" in stored:
        return TAKEN
    raise RefusedError(f"{thread_id} is being erased or created, or has expired: import it again in some minutes")


def _renew(run: Writer, partition: str, importer: str) -> bool:
    """Renew the head in the name of this run. Return whether `importer` still had the thread."""
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


def _clear(partition: str, stored: Item) -> None:
    """Erase the thread that an import of other files left incomplete, unless its head has changed since it was read."""
    with suppress(ConditionFailedError):  # after a lost response, the head may be a tombstone already
        patiently(lambda: table.update(**head.mark_expired(partition, stored)))
    patiently(lambda: erasure.erase_thread(partition, time.monotonic() + 3600))


def _put_messages(run: Writer, spool: Spool, job: _Job) -> None:
    """Write the messages, then make the thread visible. Raises `LostError`."""
    ulids: deque[str] = deque(maxlen=head.RECENT)
    renewed = time.time()
    for batch in _batches(_items(spool, job, ulids)):
        # The wall clock also counts the time when the machine slept, and another import may have taken the thread over.
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
        # Only this import can open the thread. If it is open, a response was lost and the call was sent again.
        if not head.is_open(cancelled.failed.get(0)):
            raise LostError from cancelled


def _items(spool: Spool, job: _Job, ulids: deque[str]) -> Iterator[Item]:
    """Yield the items of all messages, in order. Add their ULIDs to `ulids`."""
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


def _batches(stored: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    weight = 0
    for item in stored:
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
