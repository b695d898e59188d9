"""Messages: create, retrieve, modify, delete. Lists of them are in `pages`."""

from shared import ids
from shared.records import Message, MessageData
from shared.store import aliases, head, idempotency, items, keys, table
from shared.store.errors import MessageNotFoundError, RunActiveError
from shared.store.table import CancelledError, ConditionFailedError, Item, Write

_EXISTS = "attribute_exists(threadId)"
# A message that was imported with a foreign id is not found by the id that its sort key looks like.
_IS_ITS_ID = "attribute_not_exists(id)"


def create(
    project: str,
    thread_id: str,
    data: MessageData,
    key: idempotency.IdempotencyKey | None,
    *,
    during_run: bool,
) -> tuple[Message, bool]:
    """Append a message and return it, and whether an earlier create with the same Idempotency-Key had made it.

    One transaction moves the head and writes the message, so ids are in the order of commits. If the head is already
    past the chosen id, or another transaction conflicts, the create is tried again within the request's time. With
    `during_run`, a message is also appended while a run of the thread is active. Raises `ThreadNotFoundError`,
    `IdempotencyKeyReusedError`, `RunActiveError`, `TooLargeError`, `BusyError`.
    """
    partition = keys.thread_partition(project, thread_id)
    packed = items.pack(data.content, data.attachments)
    ulid = ids.new_ulid()
    while True:
        writes = [head.advance(partition, [ulid], during_run=during_run), *writes_of(partition, ulid, data, packed)]
        if key:
            writes.append(idempotency.marker(partition, key, ulid))
        try:
            table.transact(writes)
        except CancelledError as cancelled:
            made = _made_already(cancelled.failed, ulid, key, place=len(writes) - 1)
            if not made:
                current = head.require_open(cancelled.failed[0])
                if not during_run and head.has_active_run(current):
                    raise RunActiveError(keys.RUN_PREFIX + head.last_run(current)) from cancelled
                ulid = ids.new_ulid(above=head.last_ulid(current))
                table.count_retries()
                continue
            return _message(thread_id, made, data), made != ulid
        return _message(thread_id, ulid, data), False


def writes_of(partition: str, ulid: str, data: MessageData, packed: items.Packed) -> list[Write]:
    """Return the parts of a transaction that write one message. The first part writes the message's item."""
    message_id = keys.MESSAGE_PREFIX + ulid
    message, *parts = items.message_items(partition, message_id, data, packed)
    writes: list[Write] = [{"Put": {"Item": message, "ConditionExpression": head.IS_NEW}}]
    writes += [{"Put": {"Item": part}} for part in parts]
    if data.run_id:
        entry = keys.key(partition, keys.run_prefix(data.run_id) + message_id)
        writes.append({"Put": {"Item": {**entry, "v": {"N": str(head.SCHEMA)}}}})
    return writes


def retrieve(project: str, thread_id: str, message_id: str) -> Message:
    """Return a message. Raises `ThreadNotFoundError`, `MessageNotFoundError`."""
    item = get_item(keys.thread_partition(project, thread_id), message_id)
    message = load_message(item, thread_id)
    if message is None:
        raise MessageNotFoundError(message_id)
    return message


def modify(project: str, thread_id: str, message_id: str, metadata: str) -> Message:
    """Replace a message's metadata (JSON) and return it. Raises `ThreadNotFoundError`, `MessageNotFoundError`."""
    partition = keys.thread_partition(project, thread_id)
    place = aliases.sort_key_of(partition, message_id)
    try:
        # Without the condition, a late update would create a message again that was deleted or erased.
        item = table.update(
            keys.key(partition, place),
            ConditionExpression=f"{_EXISTS} AND v <= :schema" + (f" AND {_IS_ITS_ID}" if place == message_id else ""),
            UpdateExpression="SET #metadata = :metadata, #version = #version + :one",
            ExpressionAttributeNames={"#metadata": "metadata", "#version": "version"},
            ExpressionAttributeValues={
                ":metadata": {"S": metadata},
                ":one": {"N": "1"},
                ":schema": {"N": str(head.SCHEMA)},
            },
        )
    except ConditionFailedError as failed:
        if failed.item:
            head.check_schema(failed.item)
        raise MessageNotFoundError(message_id) from failed
    message = load_message(item, thread_id)
    if message is None:
        raise MessageNotFoundError(message_id)
    return message


def delete(project: str, thread_id: str, message_id: str) -> None:
    """Delete a message. Raises `ThreadNotFoundError`, `MessageNotFoundError`.

    The readers of the table's stream remove the chunks of a large content later.
    """
    partition = keys.thread_partition(project, thread_id)
    item = get_item(partition, message_id)
    head.check_schema(item)  # a later version may store items of a message that this version does not know
    place = item["messageId"]["S"]
    key = keys.key(partition, place)
    try:
        if "runId" in item:
            entry = keys.key(partition, keys.run_prefix(item["runId"]["S"]) + place)
            table.transact([{"Delete": {"Key": key, "ConditionExpression": _EXISTS}}, {"Delete": {"Key": entry}}])
        else:
            table.delete(key, ConditionExpression=_EXISTS)
    except CancelledError as cancelled:
        raise MessageNotFoundError(message_id) from cancelled
    except ConditionFailedError as failed:
        # The message existed a moment ago. If this call was sent twice, its first attempt may have deleted the message.
        # This is a success.
        if not failed.resent:
            raise MessageNotFoundError(message_id) from failed


def get_item(partition: str, message_id: str) -> Item:
    """Return a message's item. Raises `ThreadNotFoundError`, `MessageNotFoundError`."""
    if aliases.is_foreign(message_id):
        item = table.get(keys.key(partition, aliases.sort_key_of(partition, message_id)))
    else:
        found = table.batch_get([keys.key(partition, keys.HEAD), keys.key(partition, message_id)])
        head.require_open(found.get((partition, keys.HEAD)))
        # A batch may show a transaction's head but not yet its message. A single read afterwards shows the message.
        item = found.get((partition, message_id)) or table.get(keys.key(partition, message_id))
    if item is None or items.message_id(item) != message_id:
        raise MessageNotFoundError(message_id)
    return item


def load_message(item: Item, thread_id: str) -> Message | None:
    """Return the message of an item, including its chunks, or None if the message is deleted meanwhile.

    Missing chunks were replaced or removed after the item was read, or will soon be visible. The item is then read
    again, so a content never has chunks of two versions. Raises `BusyError` if chunks are missing until the time is up.
    """
    current: Item | None = item
    for _ in table.backoff():
        if current is None:
            break
        parts = get_chunks(current)
        if parts is not None:
            return items.message(current, parts, thread_id)
        current = table.get(keys.key(item["threadId"]["S"], item["messageId"]["S"]))
    return None


def get_chunks(item: Item) -> list[Item] | None:
    """Return the chunks of a message, in order, or None if a chunk is missing. An inline content has no chunks."""
    wanted = items.chunk_keys(item)
    found = table.batch_get(wanted)
    parts = [found.get((key["threadId"]["S"], key["messageId"]["S"])) for key in wanted]
    return None if None in parts else [part for part in parts if part]


def _made_already(
    failed: dict[int, Item | None], ulid: str, key: idempotency.IdempotencyKey | None, place: int
) -> str | None:
    """Return the ULID of the message if it exists already, otherwise None.

    An earlier create with the same key made it, or this create, if the response to an earlier attempt was lost. Raises
    `ThreadNotFoundError`, `IdempotencyKeyReusedError`.
    """
    current = head.require_open(failed[0]) if 0 in failed else None
    stored = failed.get(place) if key else None
    if key and stored:
        return idempotency.first_ulid(stored, key)
    if 1 in failed or (current and ulid in head.recent(current)):
        return ulid
    return None


def _message(thread_id: str, ulid: str, data: MessageData) -> Message:
    return Message(keys.MESSAGE_PREFIX + ulid, thread_id, ids.milliseconds(ulid) // 1000, data)
