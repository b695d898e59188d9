"""JSON values in items: small values are inline, large values are in chunks like a message's content."""

import json
from collections.abc import Iterable
from typing import Any

from shared.store import items, keys, table
from shared.store.head import SCHEMA, check_schema
from shared.store.table import Item, Write

# The largest size of a run's settings inside its item. Each change of the item is billed for the whole item.
INLINE_IN_A_RUN = 1_000


def write(key: keys.Key, attributes: Item, value: Any, *, generation: int = 1, inline: int | None = None) -> list[Item]:
    """Return the items that hold attributes and a JSON value under a key: the item itself, then its chunks.

    Raises `TooLargeError`.
    """
    packed = items.pack(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    item = {
        **key,
        "v": {"N": str(SCHEMA)},
        **attributes,
        **items.content_attributes(packed, generation, inline),
    }
    partition, sort = key["threadId"]["S"], key["messageId"]["S"]
    return [item, *items.chunk_items(partition, sort, packed, generation, inline)]


def puts(stored: Iterable[Item]) -> list[Write]:
    """Return the parts of a transaction that put these items."""
    return [{"Put": {"Item": item}} for item in stored]


def read(stored: list[Item], known: dict[tuple[str, str], Item] | None = None) -> list[Any]:
    """Return the JSON value of each item. Raises `NewerItemError`.

    `known` are items that were read already, perhaps chunks too. If a batch does not show a chunk, a transaction reads
    it. If the chunk does not exist, the value is None: it was replaced, or its thread is being erased.
    """
    for item in stored:
        check_schema(item)
    chunks = dict(known or {})
    wanted = [key for item in stored for key in items.chunk_keys(item) if _position(key) not in chunks]
    chunks |= table.batch_get(wanted)
    complete(chunks, wanted)
    return [_value(item, chunks) for item in stored]


def complete(found: dict[tuple[str, str], Item], wanted: Iterable[keys.Key]) -> None:
    """Add the wanted items that a batch has not shown. A batch may show only a part of a transaction."""
    missing = [key for key in wanted if _position(key) not in found]
    for key, item in zip(missing, table.transact_get(missing), strict=True):
        if item:
            found[_position(key)] = item


def _value(item: Item, chunks: dict[tuple[str, str], Item]) -> Any:
    positions = [_position(key) for key in items.chunk_keys(item)]
    if not all(position in chunks for position in positions):
        return None
    return json.loads(items.content(item, [chunks[position] for position in positions]))


def _position(key: keys.Key) -> tuple[str, str]:
    return key["threadId"]["S"], key["messageId"]["S"]
