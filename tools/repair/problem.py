"""Problems of stored items: the place, a description, and the writes that repair the problem."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from shared.store import head, keys

Item = dict[str, dict[str, Any]]
Write = dict[str, dict[str, Any]]


class Problem(NamedTuple):
    """One problem. If it has no writes, it cannot be repaired. The text contains ids, but no content."""

    partition: str
    text: str
    writes: tuple[Write, ...] = ()


def is_later(stored: Iterable[Item]) -> bool:
    """Return whether a later version wrote one of these items. This version does not know its rules."""
    return any(int(item["v"]["N"]) > head.SCHEMA for item in stored)


def put(item: Item) -> Write:
    """Return the write that puts an item if there is none."""
    return {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(threadId)"}}


def delete(partition: str, *sorts: str) -> tuple[Write, ...]:
    """Return the writes that delete items of a partition."""
    return tuple({"Delete": {"Key": keys.key(partition, sort)}} for sort in sorts)
