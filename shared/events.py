"""Events: what a change of the table tells the outside, made from one record of its stream.

The detail of an event is the wire's object and five fields more: `event_id`, unique, and the same however often a
change is told; `project`; `version`, which orders the changes of one object; `content_omitted`; and, for an update,
`previous_metadata`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from shared.records import NO_METADATA
from shared.store import head, items, keys, messages, table
from shared.store.table import Item
from shared.wire import deleted_json, message_json, thread_json

# EventBridge takes 1 MB for an entry (since 2026-01), its detail type and source included.
MAX_DETAIL_BYTES = 1_000_000


class Event(NamedTuple):
    """A detail type, such as `thread.message.created`, and its detail as JSON."""

    kind: str
    detail: str


def of_record(record: dict[str, Any]) -> Iterator[Event]:
    """Yield the events of one stream record, of those that the template's filter lets through."""
    change = record["dynamodb"]
    partition, sort = change["Keys"]["threadId"]["S"], change["Keys"]["messageId"]["S"]
    old, new = change.get("OldImage"), change.get("NewImage")
    if sort == keys.HEAD:
        project, _, thread_id = partition.partition("#")
        deleted = deleted_json(thread_id, "thread.deleted")
        yield Event("thread.deleted", _extended(deleted, project, f"{thread_id}/deleted"))
    elif sort == keys.THREAD:
        yield of_thread(new, old)
        if not old and "staged" in new:
            # They were written before the thread was there for anybody.
            yield from (of_message(item) for item in table.query(partition, "msg_0", "msg_~"))
    elif new:
        yield of_message(new, old)
    elif head.is_open(table.get(keys.key(partition, keys.HEAD))):
        yield _message_deleted(old)
    # Else the thread is being erased, and `thread.deleted` has told of all its messages.


def of_thread(item: Item, old: Item | None = None) -> Event:
    """Return the event of a thread: updated when it had an `old` state, else created."""
    project, _, thread_id = item["threadId"]["S"].partition("#")
    shown = thread_json(items.thread(item, thread_id))
    return Event(_kind("thread", old), _extended(shown, project, thread_id, item, old))


def of_message(item: Item, old: Item | None = None) -> Event:
    """Return the event of a message: updated when it had an `old` state, else created."""
    parts = messages.parts_of(item)
    # Parts that are missing belong to a version that was replaced meanwhile; a later event tells of that.
    event = _of_message(item, parts, old) if parts is not None else None
    if event is None or len(event.detail.encode()) > MAX_DETAIL_BYTES:
        event = _of_message(item, None, old)
    return event


def _of_message(item: Item, parts: list[Item] | None, old: Item | None) -> Event:
    project, _, thread_id = item["threadId"]["S"].partition("#")
    omitted = parts is None
    message = items.message(items.without_content(item) if omitted else item, parts or [], thread_id)
    subject = f"{thread_id}/{message.id}"
    shown = message_json(message)
    return Event(_kind("thread.message", old), _extended(shown, project, subject, item, old, omitted=omitted))


def _message_deleted(old: Item) -> Event:
    project, _, thread_id = old["threadId"]["S"].partition("#")
    message_id = old["messageId"]["S"]
    version = int(old["version"]["N"]) + 1
    last = {"version": {"N": str(version)}}
    shown = deleted_json(message_id, "thread.message.deleted")[:-1] + f',"thread_id":"{thread_id}"}}'
    return Event("thread.message.deleted", _extended(shown, project, f"{thread_id}/{message_id}", last))


def _kind(subject: str, old: Item | None) -> str:
    return f"{subject}.updated" if old else f"{subject}.created"


def _extended(
    shown: str, project: str, subject: str, item: Item | None = None, old: Item | None = None, *, omitted: bool = False
) -> str:
    """Return the wire's object with the fields of an event; a deleted thread has no version, nothing follows it."""
    version = item["version"]["N"] if item else None
    event_id = f"{project}/{subject}/{version}" if version else f"{project}/{subject}"
    fields = f'"event_id":"{event_id}","project":"{project}","version":{version or "null"}'
    if old:
        fields += f',"previous_metadata":{old["metadata"]["S"] if "metadata" in old else NO_METADATA}'
    return f'{shown[:-1]},{fields},"content_omitted":{"true" if omitted else "false"}}}'
