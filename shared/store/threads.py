"""Threads: create, retrieve, modify, delete. Lists of them are in `thread_pages`."""

import json
import uuid
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from shared import ids
from shared.records import MessageData, Thread, ThreadData
from shared.settings import settings
from shared.store import head, idempotency, items, keys, table
from shared.store.errors import BusyError, ThreadNotFoundError
from shared.store.idempotency import IdempotencyKey
from shared.store.messages import writes_of
from shared.store.table import CancelledError, ConditionFailedError, Item, Write

# A transaction has at most 100 items and 4 MB. A create has at most 5 items besides its messages.
_CHANGED = {"version": "version", "metadata": "metadata", "resources": "toolResources", "entries": "entries"}
_STAGED = {"staged": {"BOOL": True}}
_WRITES_IN_ONE = 95
_BYTES_IN_ONE = 3_900_000


class Extra(NamedTuple):
    """Additions to the transaction that commits a thread: attributes of the head, and further writes."""

    head: Mapping[str, dict[str, Any]] = MappingProxyType({})
    writes: tuple[Write, ...] = ()


_NOTHING = Extra()


def create(
    project: str, data: ThreadData, key: IdempotencyKey | None, ulid: str = "", extra: Extra = _NOTHING
) -> tuple[Thread, bool]:
    """Create a thread with its first messages; return it, and whether an earlier create with the same key had made it.

    `ulid` is the thread's ULID. If it is empty, a new one is made. Raises `IdempotencyKeyReusedError`,
    `TooLargeError`, `BusyError`.
    """
    ulid = ulid or ids.new_ulid()
    partition = keys.thread_partition(project, keys.THREAD_PREFIX + ulid)
    ulids, messages = _first_messages(partition, ulid, data.messages)
    thread = _thread(ulid, data)
    entries = entries_of(project, ulid, data.metadata)
    new_head = {**head.item(partition, head.OPEN, ulids), **extra.head}
    # The head comes first in each transaction, the marker last. The code below finds failed conditions by these places.
    writes: list[Write] = [
        {"Put": {"Item": new_head, "ConditionExpression": head.IS_NEW}},
        {"Put": {"Item": items.thread_item(partition, thread, entries)}},
        *(entry_of(entry, ulid, thread.id) for entry in entries),
        *extra.writes,
    ]
    if key:
        writes.append(idempotency.marker(keys.once_partition(project), key, ulid))
    try:
        if len(messages) + len(extra.writes) <= _WRITES_IN_ONE and _bytes(writes + messages) <= _BYTES_IN_ONE:
            writes[1:1] = messages
        else:
            # The publisher of events skips staged messages, and publishes them together with the staged thread.
            writes[1]["Put"]["Item"] |= _STAGED
            _stage(partition, entries[0], ulid, messages)
            writes[0]["Put"] |= head.IF_PENDING
        table.transact(writes)
    except CancelledError as cancelled:
        stored = cancelled.failed.get(len(writes) - 1) if key else None
        if key and stored:
            first = idempotency.first_ulid(stored, key)
            return _thread(first, data), first != ulid
        if not head.is_open(cancelled.failed.get(0)):
            raise BusyError("the thread was taken for abandoned while it was written") from cancelled
        # Only this call knows the id, so it made the open head itself: a response was lost and the call sent again.
    return thread, False


def retrieve(project: str, thread_id: str) -> Thread:
    """Return a thread. Raises `ThreadNotFoundError`."""
    return items.thread(_require(keys.thread_partition(project, thread_id)), thread_id)


def modify(project: str, thread_id: str, metadata: str | None, tool_resources: str | None) -> Thread:
    """Replace the values (JSON) that are not None, and return the thread. Raises `ThreadNotFoundError`, `BusyError`."""
    partition = keys.thread_partition(project, thread_id)
    while True:
        item = _require(partition)
        stored = items.thread(item, thread_id)
        thread = stored._replace(
            metadata=stored.metadata if metadata is None else metadata,
            tool_resources=stored.tool_resources if tool_resources is None else tool_resources,
        )
        try:
            table.transact(_changes(project, item, thread))
        except CancelledError:
            table.count_retries()
            continue  # another request modified or erased the thread after the read
        return thread


def delete(project: str, thread_id: str) -> None:
    """Delete a thread: its head becomes a tombstone, and all of it is erased later. Raises `ThreadNotFoundError`."""
    erasure = uuid.uuid4().hex
    try:
        table.update(**head.mark_deleted(keys.thread_partition(project, thread_id), erasure))
    except ConditionFailedError as failed:
        if failed.item:
            head.check_schema(failed.item)
        # If this call was sent twice, its first attempt deleted the thread, which is a success.
        if not failed.item or failed.item.get("erasure", {}).get("S") != erasure:
            raise ThreadNotFoundError from failed


def entries_of(project: str, ulid: str, metadata: str) -> list[str]:
    """Return the partitions that list a thread: one of its project's, then that of its indexed value, if it has one."""
    entries = [keys.threads_partition(project, ulid, settings().list_shards)]
    indexed_key = settings().indexed_key
    value = json.loads(metadata).get(indexed_key) if indexed_key else None
    return entries if value is None else [*entries, keys.indexed_partition(project, indexed_key, value)]


def entry_of(partition: str, ulid: str, thread_id: str) -> Write:
    """Return the write that lists a thread in one of these partitions."""
    item = {**keys.key(partition, ulid), "v": {"N": str(head.SCHEMA)}, "thread": {"S": thread_id}}
    return {"Put": {"Item": item}}


def _require(partition: str) -> Item:
    """Return a thread's item. Raises `ThreadNotFoundError`."""
    found = table.batch_get([keys.key(partition, keys.HEAD), keys.key(partition, keys.THREAD)])
    head.require_open(found.get((partition, keys.HEAD)))
    # A batch may show a transaction's head but not yet its thread. A single read afterwards shows the thread.
    item = found.get((partition, keys.THREAD)) or table.get(keys.key(partition, keys.THREAD))
    if item is None:
        raise ThreadNotFoundError
    return item


def _first_messages(partition: str, above: str, messages: Iterable[MessageData]) -> tuple[list[str], list[Write]]:
    """Return the ULIDs of a new thread's messages and the writes that make them. Raises `TooLargeError`."""
    ulids: list[str] = []
    writes: list[Write] = []
    for data in messages:
        above = ids.new_ulid(above)
        ulids.append(above)
        writes += writes_of(partition, above, data, items.pack(data.content, data.attachments))
    return ulids, writes


def _stage(partition: str, list_partition: str, ulid: str, messages: list[Write]) -> None:
    """Write the messages of a thread that is too large for one transaction, before the thread is visible.

    The pending head has an entry in the list, by which the sweep finds a thread that was abandoned here.
    """
    pending = head.item(partition, head.PENDING, []) | {"entries": {"L": [{"S": list_partition}]}}
    table.transact(
        [
            {"Put": {"Item": pending, "ConditionExpression": head.IS_NEW}},
            entry_of(list_partition, ulid, keys.thread_id(partition)),
        ]
    )
    table.batch_put([write["Put"]["Item"] | _STAGED for write in messages])


def _thread(ulid: str, data: ThreadData) -> Thread:
    return Thread(keys.THREAD_PREFIX + ulid, ids.milliseconds(ulid) // 1000, data.metadata, data.tool_resources)


def _changes(project: str, item: Item, thread: Thread) -> list[Write]:
    """Return the transaction that stores a modified thread, and updates its entry for the indexed metadata value."""
    ulid = keys.ulid_of(thread.id, item)
    listed = [entry["S"] for entry in item["entries"]["L"]]
    # The entry in the project's list stays in its partition, even if the number of shards has changed.
    entries = [listed[0], *entries_of(project, ulid, thread.metadata)[1:]]
    update = {
        "Update": {
            "Key": keys.key(item["threadId"]["S"], keys.THREAD),
            "ConditionExpression": "#version = :seen",
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in _CHANGED),
            "ExpressionAttributeNames": {f"#{name}": field for name, field in _CHANGED.items()},
            "ExpressionAttributeValues": {
                ":seen": item["version"],
                ":version": {"N": str(int(item["version"]["N"]) + 1)},
                ":metadata": {"S": thread.metadata},
                ":resources": {"S": thread.tool_resources},
                ":entries": {"L": [{"S": entry} for entry in entries]},
            },
        }
    }
    return [
        update,
        *({"Delete": {"Key": keys.key(entry, ulid)}} for entry in listed if entry not in entries),
        *(entry_of(entry, ulid, thread.id) for entry in entries if entry not in listed),
    ]


def _bytes(writes: list[Write]) -> int:
    """Return the approximate size of a transaction's items in bytes."""
    return sum(items.weight(write["Put"]["Item"]) for write in writes)
