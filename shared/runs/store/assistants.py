"""Assistants: create, list, retrieve, modify, delete. One partition holds a project's assistants and their order."""

import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Any

from shared import ids
from shared.records import Page, PageRequest
from shared.runs.errors import AssistantNotFoundError
from shared.runs.records import Assistant, AssistantData
from shared.runs.store import documents
from shared.store import head, keys, table
from shared.store.head import check_schema
from shared.store.key_range import KeyRange, is_backward, key_range_of
from shared.store.pages import first_fitting
from shared.store.table import CancelledError, Item, Write

# The bytes that an assistant's JSON takes in a response in addition to its content.
_BYTES_OF_AN_ASSISTANT = 1_000
_IS_UNCHANGED = {
    "ConditionExpression": "#version = :seen",
    "ExpressionAttributeNames": {"#version": "version"},
}


def create(project: str, data: AssistantData) -> Assistant:
    """Create an assistant and return it. Raises `TooLargeError`, `BusyError`."""
    ulid = ids.new_ulid()
    assistant = Assistant(keys.ASSISTANT_PREFIX + ulid, ids.milliseconds(ulid) // 1000, data)
    writes = new_assistant(project, assistant, ulid)
    with suppress(CancelledError):  # only this call knows the id: the response to an earlier attempt was lost
        table.transact(writes)
    return assistant


def new_assistant(project: str, assistant: Assistant, ulid: str) -> list[Write]:
    """Return the transaction that stores an assistant, and lists it under a ULID. The id may be foreign.

    Raises `TooLargeError`.
    """
    partition = keys.assistants_partition(project)
    # An import may use the id of a deleted assistant again, before the old chunks are removed. The first version comes
    # from the clock (milliseconds), so the new chunks have other keys than the old ones.
    writes = documents.puts(_items(partition, assistant, ulid, version=time.time_ns() // 1_000_000))
    writes[0]["Put"]["ConditionExpression"] = head.IS_NEW
    entry = {
        **keys.key(partition, keys.assistant_entry(ulid)),
        "v": {"N": str(head.SCHEMA)},
        "assistant": {"S": assistant.id},
    }
    return [*writes, {"Put": {"Item": entry}}]


def retrieve(project: str, assistant_id: str) -> Assistant:
    """Return an assistant. Raises `AssistantNotFoundError`, `BusyError`."""
    return _read(project, assistant_id)[0]


def list_assistants(project: str, asked: PageRequest) -> Page[Assistant]:
    """Return one page of a project's assistants. It is empty only when nothing follows.

    A page ends at the limit, or at the largest size of a response. Raises `AssistantNotFoundError` for an unknown
    cursor that was made elsewhere.
    """
    partition = keys.assistants_partition(project)
    after, before = (_ulid(partition, cursor) for cursor in (asked.after, asked.before))
    key_range = key_range_of(asked._replace(after=after, before=before))
    while True:
        entries = _entries(partition, key_range)
        stored = _items_of(partition, entries[: asked.limit])
        fitting = first_fitting(stored, _size)
        values = documents.read(fitting)
        found = [_assistant(item, value) for item, value in zip(fitting, values, strict=True) if value]
        more = len(entries) > asked.limit or len(fitting) < len(stored)
        if found or not more:
            return Page(found[::-1] if is_backward(asked) else found, has_more=more)
        # All of these were deleted while they were read. An empty page would end the reader's loop.
        key_range = key_range.behind(entries[asked.limit - 1]["messageId"]["S"].removeprefix(keys.assistant_entry("")))


def modify(project: str, assistant_id: str, change: Callable[[AssistantData], AssistantData]) -> Assistant:
    """Replace an assistant's data by the result of `change`, and return the assistant.

    If two modifications run at the same time, the later one is applied to the result of the earlier one.
    Raises `AssistantNotFoundError`, `TooLargeError`, `BusyError`.
    """
    while True:
        assistant, item = _read(project, assistant_id)
        changed = assistant._replace(data=change(assistant.data))
        version = int(item["version"]["N"]) + 1
        partition = keys.assistants_partition(project)
        writes = documents.puts(_items(partition, changed, item["ulid"]["S"], version))
        writes[0]["Put"] |= _IS_UNCHANGED | {"ExpressionAttributeValues": {":seen": item["version"]}}
        try:
            table.transact(writes)
        except CancelledError:
            table.count_retries()
            continue  # another request modified or deleted the assistant after the read
        return changed


def delete(project: str, assistant_id: str) -> None:
    """Delete an assistant. Runs go on with their own copy of it. Raises `AssistantNotFoundError`, `BusyError`.

    The readers of the table's stream remove the chunks of a large assistant later.
    """
    partition = keys.assistants_partition(project)
    item = table.get(keys.key(partition, assistant_id))
    if item is None:
        raise AssistantNotFoundError(assistant_id)
    check_schema(item)
    deletes: list[Write] = [
        {"Delete": {"Key": keys.key(partition, assistant_id), "ConditionExpression": "attribute_exists(threadId)"}},
        {"Delete": {"Key": keys.key(partition, keys.assistant_entry(item["ulid"]["S"]))}},
    ]
    try:
        table.transact(deletes)
    except CancelledError as cancelled:
        raise AssistantNotFoundError(assistant_id) from cancelled


def _items(partition: str, assistant: Assistant, ulid: str, version: int) -> list[Item]:
    attributes: Item = {
        "version": {"N": str(version)},
        "createdAt": {"N": str(assistant.created_at)},
        "ulid": {"S": ulid},
    }
    # An assistant has each version number only once, so no generation of chunks is ever written twice.
    key = keys.key(partition, assistant.id)
    return documents.write(key, attributes, assistant.data._asdict(), generation=version)


def _read(project: str, assistant_id: str) -> tuple[Assistant, Item]:
    """Return an assistant and its item. Raises `AssistantNotFoundError`, `BusyError`."""
    for _ in table.backoff():
        item = table.get(keys.key(keys.assistants_partition(project), assistant_id))
        if item is None:
            break
        (value,) = documents.read([item])
        if value:
            return _assistant(item, value), item
        # The chunks were replaced or removed after the item was read.
    raise AssistantNotFoundError(assistant_id)


def _assistant(item: Item, value: dict[str, Any]) -> Assistant:
    data = AssistantData(**value)
    return Assistant(item["messageId"]["S"], int(item["createdAt"]["N"]), data._replace(tools=tuple(data.tools)))


def _ulid(partition: str, cursor: str) -> str:
    """Return the ULID under which a cursor's assistant is listed. Ids that were made here contain it."""
    if not cursor or ids.is_ulid(cursor):
        return cursor
    item = table.get(keys.key(partition, cursor))
    if item is None:
        raise AssistantNotFoundError(cursor)
    return str(item["ulid"]["S"])


def _entries(partition: str, key_range: KeyRange) -> list[Item]:
    low, high = key_range.bounds(keys.assistant_entry(""))
    if low > high:
        return []
    options = {"ScanIndexForward": key_range.forward, "Limit": key_range.size}
    return [*islice(table.query(partition, low, high, **options), key_range.size)]


def _size(item: Item) -> int:
    return int(item["size"]["N"]) + _BYTES_OF_AN_ASSISTANT


def _items_of(partition: str, entries: list[Item]) -> list[Item]:
    """Return the assistants of these entries, in their order, without those that are deleted."""
    wanted = [keys.key(partition, entry["assistant"]["S"]) for entry in entries]
    found = table.batch_get(wanted)
    documents.complete(found, wanted)
    return [item for key in wanted if (item := found.get((partition, key["messageId"]["S"])))]
