"""Editing: replaces the content of a message, which is an extension of OpenAI's API."""

from typing import Any

from shared.records import Message
from shared.store import items, keys, messages, table
from shared.store.table import CancelledError, ConditionFailedError, Item

_IS_UNCHANGED = "#version = :seen"


def edit(project: str, thread_id: str, message_id: str, content: str, metadata: str | None) -> Message:
    """Replace a message's content (JSON), and its metadata (JSON) unless that is None; return the message.

    A content that is too large for one item goes into chunks of a new generation. One transaction writes the chunks and
    the item that names them. The readers of the table's stream remove the old chunks. Of two concurrent edits the later
    one stays, as a whole. Raises `ThreadNotFoundError`, `MessageNotFoundError`, `TooLargeError`, `BusyError`.
    """
    partition = keys.thread_partition(project, thread_id)
    while True:
        item = messages.get_item(partition, message_id)
        stored = items.message(items.without_content(item), (), thread_id)
        data = stored.data._replace(content=content, metadata=stored.data.metadata if metadata is None else metadata)
        packed = items.pack(content, data.attachments)
        # A message has each version number only once, so no generation of chunks is ever written twice.
        version = int(item["version"]["N"]) + 1
        parts = items.chunk_items(partition, item["messageId"]["S"], packed, version)
        changed = items.content_attributes(packed, version) | {"version": {"N": str(version)}}
        if metadata is not None:
            changed["metadata"] = {"S": metadata}
        update = _update(item, changed)
        try:
            if parts:
                table.transact([{"Update": update}, *({"Put": {"Item": part}} for part in parts)])
            else:
                table.update(update.pop("Key"), **update)
        except (CancelledError, ConditionFailedError):
            table.count_retries()
            continue  # another request modified or deleted the message after the read
        return stored._replace(data=data)


def _update(item: Item, changed: Item) -> dict[str, Any]:
    """Return the update that gives an item these attributes, if the item has not changed since it was read."""
    removed = "content" if "parts" in changed else "parts"
    return {
        "Key": {name: item[name] for name in ("threadId", "messageId")},
        "ConditionExpression": _IS_UNCHANGED,
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changed) + f" REMOVE {removed}",
        "ExpressionAttributeNames": {f"#{name}": name for name in changed},
        "ExpressionAttributeValues": {f":{name}": value for name, value in changed.items()}
        | {":seen": item["version"]},
    }
