"""Converts messages and threads to items, and back. An attribute with its default value is omitted."""

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

# An item has at most 409,600 bytes. With inline content, it also has up to 56 KB of metadata and 30 KB of attachments.
_INLINE_BYTES = 300_000
_CHUNK_BYTES = 390_000
# The items of a transaction have at most 4 MB together.
_STORED_BYTES = 3_600_000
# Lambda's response has at most 6,291,556 bytes. The response to a retrieve holds one message, with up to 113 KB of
# metadata, and the headers.
_ANSWER_BYTES = 6_000_000
# For a shorter content, deflate saves less than one write unit, which is one kilobyte.
_COMPRESS_FROM_BYTES = 512

_json = json.JSONEncoder(ensure_ascii=False).encode


class Packed(NamedTuple):
    """A content in its stored form. `kind` is DynamoDB's S or B (deflated), `size` is its bytes in a response."""

    kind: str
    data: bytes
    size: int


def pack(content: str, attachments: str = NO_ATTACHMENTS) -> Packed:
    """Return a content in its stored form. Raises `TooLargeError` if one transaction or response cannot hold it."""
    data = content.encode()
    size = answer_size(content) + answer_size(attachments)
    deflated = zlib.compress(data, 6) if len(data) >= _COMPRESS_FROM_BYTES else data
    packed = Packed("B", deflated, size) if len(deflated) < len(data) else Packed("S", data, size)
    if size > _ANSWER_BYTES or len(packed.data) > _STORED_BYTES:
        raise TooLargeError
    return packed


def message_items(partition: str, message_id: str, data: MessageData, packed: Packed) -> list[Item]:
    """Return the items of a new message: its own item, then chunks if the content is too large for one item."""
    item: Item = {
        **keys.key(partition, message_id),
        "v": {"N": str(SCHEMA)},
        "version": {"N": "1"},
        "role": {"S": data.role},
        **_optional(data),
        **content_attributes(packed, generation=1),
    }
    return [item, *chunk_items(partition, message_id, packed, generation=1)]


def content_attributes(packed: Packed, generation: int, inline: int | None = None) -> Item:
    """Return the attributes that hold an item's content, or name the chunks of the content.

    The item itself holds contents of up to `inline` bytes. The default is the limit for a message's item.
    """
    size = {"N": str(packed.size)}
    if len(packed.data) <= (_INLINE_BYTES if inline is None else inline):
        return {"size": size, "content": {packed.kind: packed.data if packed.kind == "B" else packed.data.decode()}}
    count = -(-len(packed.data) // _CHUNK_BYTES)
    parts = {"generation": {"N": str(generation)}, "count": {"N": str(count)}, "kind": {"S": packed.kind}}
    return {"size": size, "parts": {"M": parts}}


def chunk_items(partition: str, sort: str, packed: Packed, generation: int, inline: int | None = None) -> list[Item]:
    """Return the chunks of the content of the item with this sort key; none when the item itself holds its content."""
    if len(packed.data) <= (_INLINE_BYTES if inline is None else inline):
        return []
    return [
        {
            **keys.key(partition, keys.chunk(sort, generation, start // _CHUNK_BYTES)),
            "v": {"N": str(SCHEMA)},
            "data": {"B": packed.data[start : start + _CHUNK_BYTES]},
        }
        for start in range(0, len(packed.data), _CHUNK_BYTES)
    ]


def chunk_keys(item: Item) -> list[keys.Key]:
    """Return the keys of the chunks of an item's content, in order; none when the item itself holds its content."""
    if "parts" not in item:
        return []
    parts = item["parts"]["M"]
    partition, sort = item["threadId"]["S"], item["messageId"]["S"]
    generation = int(parts["generation"]["N"])
    return [keys.key(partition, keys.chunk(sort, generation, number)) for number in range(int(parts["count"]["N"]))]


def chunk_prefix(item: Item) -> str:
    """Return the prefix of the keys of the chunks of an item's content."""
    return keys.chunk_prefix(item["messageId"]["S"], int(item["parts"]["M"]["generation"]["N"]))


def content(item: Item, chunks: Iterable[Item]) -> str:
    """Return the content that an item and its chunks hold."""
    if "parts" in item:
        data = b"".join(a2b_base64(chunk["data"]["B"]) for chunk in chunks)
        return (zlib.decompress(data) if item["parts"]["M"]["kind"]["S"] == "B" else data).decode()
    if "B" in item["content"]:
        return zlib.decompress(a2b_base64(item["content"]["B"])).decode()
    return str(item["content"]["S"])


def message(item: Item, chunks: Iterable[Item], thread_id: str) -> Message:
    """Return the message that an item and its chunks hold. Raises `NewerItemError`."""
    check_schema(item)
    return Message(
        id=message_id(item),
        thread_id=thread_id,
        created_at=created_at(item["messageId"]["S"]),
        data=MessageData(
            role=item["role"]["S"],
            content=content(item, chunks),
            attachments=_text(item, "attachments", NO_ATTACHMENTS),
            metadata=_text(item, "metadata", NO_METADATA),
            assistant_id=_text(item, "assistantId", None),
            run_id=_text(item, "runId", None),
            status=_text(item, "status", "completed"),
            incomplete_details=_text(item, "incompleteDetails", None),
            completed_at=int(item["completedAt"]["N"]) if "completedAt" in item else None,
        ),
    )


def message_id(item: Item) -> str:
    """Return the id of the message that an item holds: its sort key, unless the id was made elsewhere."""
    return str(_text(item, "id", item["messageId"]["S"]))


def without_content(item: Item) -> Item:
    """Return a copy of a message's item with an empty content."""
    return {name: value for name, value in item.items() if name != "parts"} | {"content": {"S": "[]"}}


def size(item: Item) -> int:
    """Return an upper bound of the bytes that a message's JSON takes in a response."""
    metadata = item.get("metadata", {}).get("S", "")
    return int(item["size"]["N"]) + 2 * len(metadata.encode()) + 1_000


def answer_size(text: str) -> int:
    """Return the bytes that a JSON text takes inside the JSON string that is the body of a response."""
    return len(_json(text).encode())


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
    """Return an upper bound of the bytes that a thread's JSON takes in a response."""
    return 2 * weight(item) + 300


def weight(item: Item) -> int:
    """Return the approximate size of an item in bytes, as DynamoDB counts them."""
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
    if data.completed_at is not None:
        item["completedAt"] = {"N": str(data.completed_at)}
    return item


def _text(item: Item, name: str, default: Any) -> Any:
    return item[name]["S"] if name in item else default


def _length(value: Any) -> int:
    if isinstance(value, bytes):
        return len(value)
    return len((value if isinstance(value, str) else repr(value)).encode())
