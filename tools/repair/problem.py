"""What is wrong with stored items: where, what it is, and the writes that repair it."""

from typing import Any, NamedTuple

Item = dict[str, dict[str, Any]]
Write = dict[str, dict[str, Any]]


class Problem(NamedTuple):
    """One problem. Without writes it cannot be repaired. The text has ids and no content."""

    partition: str
    text: str
    writes: tuple[Write, ...] = ()


def put(item: Item) -> Write:
    """Return the write that puts an item if there is none."""
    return {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(threadId)"}}


def delete(*keys: dict[str, dict[str, str]]) -> tuple[Write, ...]:
    """Return the writes that delete items."""
    return tuple({"Delete": {"Key": key}} for key in keys)
