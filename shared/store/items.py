"""Messages and threads as items, and back. An attribute that would hold only a default is left out."""

import json
import zlib
from binascii import a2b_base64
from collections.abc import Iterable
from typing import Any, NamedTuple

from shared import ids
from shared.records import NO_ATTACHMENTS, NO_METADATA, NO_TOOL_RESOURCES, Message, MessageData, Thread
from shared.store import keys
from shared.store.errors import TooLargeError
from shared.store.head import SCHEMA, check_schema
from shared.store.table import Item

# An item ends at 409,600 bytes. Beside a content kept inline stand up to 56 KB of metadata and 30 KB of attachments.
_INLINE_BYTES = 300_000
_CHUNK_BYTES = 390_000
# A transaction ends at 4 MB, counted over its items.
_STORED_BYTES = 3_600_000
# Lambda's answer ends at 6,291,556 bytes; a message is answered alone, with up to 113 KB of metadata and a header.
_ANSWER_BYTES = 6_000_000
# Below this, deflate gains less than the one-kilobyte step of a write unit.
_COMPRESS_FROM_BYTES = 512


class Packed(NamedTuple):
    """A content as it is stored: `kind` is DynamoDB's S or B (deflated), `size` its bytes in an answer."""

    kind: str
    data: bytes
    size: int


def pack(content: str, attachments: str = NO_ATTACHMENTS) -> Packed:
    """Return a content in its stored form. Raises `TooLargeError` when one transaction or answer cannot hold it."""
    data = content.encode()
    size = answer_size(content) + answer_size(attachments)
    deflated = zlib.compress(data, 6) if len(data) >= _COMPRESS_FROM_BYTES else data
    packed = Packed("B", deflated, size) if len(deflated) < len(data) else Packed("S", data, size)
    if size > _ANSWER_BYTES or len(packed.data) > _STORED_BYTES:
        raise TooLargeError
    return packed


def message_items(partition: str, message_id: str, data: MessageData, packed: Packed) -> list[Item]:
    """Return the items of a new message: itself, then its parts, when its content is too large for one item."""
    item: Item = {
        **keys.key(partition, message_id),
        "v": {"N": str(SCHEMA)},
        "version": {"N": "1"},
        "role": {"S": data.role},
        **_optional(data),
        **content_attributes(packed, generation=1),
    }
    return [item, *chunk_items(partition, message_id, packed, generation=1)]


def content_attributes(packed: Packed, generation: int) -> Item:
    """Return the attributes by which a message's item holds its content, or tells where its parts are."""
    size = {"N": str(packed.size)}
    if len(packed.data) <= _INLINE_BYTES:
        return {"size": size, "content": {packed.kind: packed.data if packed.kind == "B" else packed.data.decode()}}
    count = -(-len(packed.data) // _CHUNK_BYTES)
    parts = {"generation": {"N": str(generation)}, "count": {"N": str(count)}, "kind": {"S": packed.kind}}
    return {"size": size, "parts": {"M": parts}}


def chunk_items(partition: str, message_id: str, packed: Packed, generation: int) -> list[Item]:
    """Return the items that hold a content too large for its message's item; none when it is not."""
    if len(packed.data) <= _INLINE_BYTES:
        return []
    return [
        {
            **keys.key(partition, keys.chunk(message_id, generation, start // _CHUNK_BYTES)),
            "v": {"N": str(SCHEMA)},
            "data": {"B": packed.data[start : start + _CHUNK_BYTES]},
        }
        for start in range(0, len(packed.data), _CHUNK_BYTES)
    ]


def chunk_keys(item: Item) -> list[keys.Key]:
    """Return the keys of a message's parts, in order; none for a message whose content is inline."""
    if "parts" not in item:
        return []
    parts = item["parts"]["M"]
    partition, message_id = item["threadId"]["S"], item["messageId"]["S"]
    generation = int(parts["generation"]["N"])
    return [
        keys.key(partition, keys.chunk(message_id, generation, number)) for number in range(int(parts["count"]["N"]))
    ]


def chunk_prefix(item: Item) -> str:
    """Return the prefix of the keys of a message's parts."""
    return keys.chunk_prefix(item["messageId"]["S"], int(item["parts"]["M"]["generation"]["N"]))


def message(item: Item, parts: Iterable[Item], thread_id: str) -> Message:
    """Return the message that an item and its parts hold. Raises `NewerItemError`."""
    check_schema(item)
    if "parts" in item:
        data = b"".join(a2b_base64(part["data"]["B"]) for part in parts)
        content = (zlib.decompress(data) if item["parts"]["M"]["kind"]["S"] == "B" else data).decode()
    elif "B" in item["content"]:
        content = zlib.decompress(a2b_base64(item["content"]["B"])).decode()
    else:
        content = item["content"]["S"]
    return Message(
        id=message_id(item),
        thread_id=thread_id,
        created_at=created_at(item["messageId"]["S"]),
        data=MessageData(
            role=item["role"]["S"],
            content=content,
            attachments=_text(item, "attachments", NO_ATTACHMENTS),
            metadata=_text(item, "metadata", NO_METADATA),
            assistant_id=_text(item, "assistantId", None),
            run_id=_text(item, "runId", None),
            status=_text(item, "status", "completed"),
            incomplete_details=_text(item, "incompleteDetails", None),
        ),
    )


def message_id(item: Item) -> str:
    """Return the id of the message that an item holds: that of its place, unless it was made elsewhere."""
    return str(_text(item, "id", item["messageId"]["S"]))


def without_content(item: Item) -> Item:
    """Return a message's item as if its content were empty."""
    return {name: value for name, value in item.items() if name != "parts"} | {"content": {"S": "[]"}}


def size(item: Item) -> int:
    """Return a bound of what a message's JSON takes of an answer, in bytes."""
    metadata = item.get("metadata", {}).get("S", "")
    return int(item["size"]["N"]) + 2 * len(metadata.encode()) + 1_000


def answer_size(text: str) -> int:
    """Return the bytes that a JSON text takes inside the JSON string that is the body of an answer."""
    return len(json.dumps(text, ensure_ascii=False).encode())


def thread_item(partition: str, thread: Thread, entries: list[str]) -> Item:
    """Return the item of a new thread; `entries` are the partitions that list it."""
    item: Item = {
        **keys.key(partition, keys.THREAD),
        "v": {"N": str(SCHEMA)},
        "version": {"N": "1"},
        "createdAt": {"N": str(thread.created_at)},
        "entries": {"L": [{"S": entry} for entry in entries]},
    }
    if thread.metadata != NO_METADATA:
        item["metadata"] = {"S": thread.metadata}
    if thread.tool_resources != NO_TOOL_RESOURCES:
        item["toolResources"] = {"S": thread.tool_resources}
    return item


def thread(item: Item, thread_id: str) -> Thread:
    """Return the thread that an item holds. Raises `NewerItemError`."""
    check_schema(item)
    return Thread(
        id=thread_id,
        created_at=int(item["createdAt"]["N"]),
        metadata=_text(item, "metadata", NO_METADATA),
        tool_resources=_text(item, "toolResources", NO_TOOL_RESOURCES),
    )


def thread_size(item: Item) -> int:
    """Return a bound of what a thread's JSON takes of an answer, in bytes."""
    return 2 * weight(item) + 300


def weight(item: Item) -> int:
    """Return about how many bytes an item has, as DynamoDB counts them."""
    return sum(len(name) + _length(value) for name, attribute in item.items() for value in attribute.values())


def created_at(place: str) -> int:
    """Return the seconds since 1970 at which the message with this sort key was created."""
    return ids.milliseconds(place.removeprefix(keys.MESSAGE_PREFIX)) // 1000


def _optional(data: MessageData) -> Item:
    item: Item = {}
    if data.attachments != NO_ATTACHMENTS:
        item["attachments"] = {"S": data.attachments}
    if data.metadata != NO_METADATA:
        item["metadata"] = {"S": data.metadata}
    if data.assistant_id is not None:
        item["assistantId"] = {"S": data.assistant_id}
    if data.run_id is not None:
        item["runId"] = {"S": data.run_id}
    if data.status != "completed":
        item["status"] = {"S": data.status}
    if data.incomplete_details is not None:
        item["incompleteDetails"] = {"S": data.incomplete_details}
    return item


def _text(item: Item, name: str, default: Any) -> Any:
    return item[name]["S"] if name in item else default


def _length(value: Any) -> int:
    if isinstance(value, bytes):
        return len(value)
    return len((value if isinstance(value, str) else repr(value)).encode())
