"""Events: each describes a change of a thread, message or run, made from one record of the table's stream.

The detail of an event is the object as the API returns it, with four more fields: `event_id`, which is unique, and the
same each time that a change is published; `project`; `version`, which orders the changes of one object; and
`content_omitted`. An update of a thread or message also has `previous_metadata`, that of a message `content_changed`.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from shared.records import NO_METADATA
from shared.runs import events as run_events
from shared.store import head, items, keys, messages, table
from shared.store.table import Item
from shared.wire import deleted_json, message_json, thread_json

# EventBridge takes 1 MB for an entry (since 2026-01), which includes its detail type and source. AWS does not document
# whether 1 MB is 10^6 or 2^20 bytes. This is below both.
MAX_DETAIL_BYTES = 990_000
_CREATED, _UPDATED = "created", "updated"


class Event(NamedTuple):
    """A detail type, such as `thread.message.created`, and its detail as JSON."""

    kind: str
    detail: str


class _Change(NamedTuple):
    """A change of an item: `created` or `updated`, the item after the change, and, if known, the item before it."""

    name: str
    item: Item
    old: Item | None = None


def of_record(record: dict[str, Any]) -> Iterator[Event]:
    """Yield the events of one stream record that the template's filter lets through.

    Raises `BusyError` when data that the record does not contain cannot be read from the table.
    """
    change = record["dynamodb"]
    partition, sort = change["Keys"]["threadId"]["S"], change["Keys"]["messageId"]["S"]
    old, new = change.get("OldImage"), change.get("NewImage")
    if sort == keys.HEAD:
        yield thread_deleted(partition)
    elif sort == keys.THREAD:
        yield from _of_thread_change(partition, new, old)
    elif sort.startswith(keys.RUN_PREFIX):
        if new and run_events.has_new_status(new, old):
            yield from of_run(new)
    elif sort.startswith(keys.MESSAGE_PREFIX):
        yield from _of_message_change(partition, new, old)


def _of_thread_change(partition: str, new: Item, old: Item | None) -> Iterator[Event]:
    if _is_import(new):
        return
    yield of_thread(new, old)
    if not old and "staged" in new:
        # The staged messages were written before the thread was visible. A later change of theirs has its own record.
        messages_of_thread = table.query(partition, "msg_0", "msg_~")
        yield from (_of_message(_Change(_CREATED, item)) for item in messages_of_thread if "staged" in item)


def _of_message_change(partition: str, new: Item | None, old: Item | None) -> Iterator[Event]:
    if new:
        # A staged message is published when its thread becomes visible.
        if not _is_import(new) and (old or "staged" not in new):
            yield of_message(new, old)
    elif old and _is_open(partition):
        yield _message_deleted(old)
    # Else the thread is being erased, and `thread.deleted` covers all its messages.


def _is_import(new: Item) -> bool:
    """Return whether this change imports an item. An import has no event: the object existed before, elsewhere."""
    return "imported" in new and _name(new) == _CREATED


def of_thread(item: Item, old: Item | None = None) -> Event:
    """Return the event of a thread's current state: `created` for its first version, `updated` for later versions."""
    project, _, thread_id = item["threadId"]["S"].partition("#")
    shown = thread_json(items.thread(item, thread_id))
    change = _Change(_name(item), item, old)
    return Event(f"thread.{change.name}", _extended(shown, project, thread_id, change))


def of_run(item: Item) -> Iterator[Event]:
    """Yield the event of a run's status, or nothing when its thread is being erased. Raises `BusyError`."""
    if event := run_events.run_event(item, MAX_DETAIL_BYTES):
        yield Event(*event)


def of_message(item: Item, old: Item | None = None) -> Event:
    """Return the event of a message's current state: `created` for its first version, `updated` for later versions.

    Raises `BusyError`.
    """
    return _of_message(_Change(_name(item), item, old))


def thread_deleted(partition: str) -> Event:
    """Return the event of a thread's deletion. Its version is null, because no change can follow it."""
    project, _, thread_id = partition.partition("#")
    shown = deleted_json(thread_id, "thread.deleted")
    fields = _fields(f"{project}/{thread_id}/deleted", project, "null")
    return Event("thread.deleted", f"{shown[:-1]},{fields}}}")


def _message_deleted(old: Item) -> Event:
    project, _, thread_id = old["threadId"]["S"].partition("#")
    message_id, version = items.message_id(old), int(old["version"]["N"]) + 1
    shown = deleted_json(message_id, "thread.message.deleted")
    fields = _fields(f"{project}/{thread_id}/{message_id}/{version}", project, str(version))
    return Event("thread.message.deleted", f'{shown[:-1]},"thread_id":"{thread_id}",{fields}}}')


def _of_message(change: _Change) -> Event:
    event = _message_event(change, parts) if (parts := _parts(change.item)) is not None else None
    if event is None or len(event.detail.encode()) > MAX_DETAIL_BYTES:
        event = _message_event(change, None)
    return event


def _message_event(change: _Change, parts: list[Item] | None) -> Event:
    """Return the event with the message's content, or without the content when `parts` is None."""
    project, _, thread_id = change.item["threadId"]["S"].partition("#")
    omitted = parts is None
    message = items.message(items.without_content(change.item) if omitted else change.item, parts or [], thread_id)
    detail = _extended(message_json(message), project, f"{thread_id}/{message.id}", change, omitted=omitted)
    if change.name == _UPDATED:
        detail = f'{detail[:-1]},"content_changed":{_content_changed(change)}}}'
    return Event(f"thread.message.{change.name}", detail)


def _parts(item: Item) -> list[Item] | None:
    """Return the chunks, or None if they were deleted after the change. A later event covers the deletion."""
    for _ in islice(table.backoff(), 8):
        parts = messages.get_chunks(item)
        if parts is not None or not _is_current(item):
            return parts
        # The chunks were written with the item, and will soon be visible.
    return None


def _is_current(item: Item) -> bool:
    now = table.get(keys.key(item["threadId"]["S"], item["messageId"]["S"]))
    return now is not None and items.chunk_keys(now) == items.chunk_keys(item)


def _is_open(partition: str) -> bool:
    """Return whether a thread is open. An expired thread is open until its head is a tombstone, which has an event."""
    item = table.get(keys.key(partition, keys.HEAD))
    return item is not None and item["state"]["S"] == head.OPEN


def _name(item: Item) -> str:
    return _CREATED if item["version"]["N"] == "1" else _UPDATED


def _extended(shown: str, project: str, subject: str, change: _Change, *, omitted: bool = False) -> str:
    """Return an object as the API returns it, with the additional fields of an event."""
    version = change.item["version"]["N"]
    # A staged message may have been modified before its creation is published. The modification has its own event.
    event_id = f"{project}/{subject}/{1 if change.name == _CREATED else version}"
    fields = _fields(event_id, project, version, omitted=omitted)
    if change.name == _UPDATED:
        fields += f',"previous_metadata":{_metadata(change.old)}'
    return f"{shown[:-1]},{fields}}}"


def _content_changed(change: _Change) -> str:
    if change.old is None:
        return "null"
    return "true" if any(change.old.get(name) != change.item.get(name) for name in ("content", "parts")) else "false"


def _metadata(old: Item | None) -> str:
    if old is None:
        return "null"
    return str(old["metadata"]["S"]) if "metadata" in old else NO_METADATA


def _fields(event_id: str, project: str, version: str, *, omitted: bool = False) -> str:
    flag = "true" if omitted else "false"
    return f'"event_id":"{event_id}","project":"{project}","version":{version},"content_omitted":{flag}'
