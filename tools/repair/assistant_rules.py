"""The rules of a project's assistants: each one is complete and listed once. Deleted assistants leave no items."""

from collections.abc import Iterator

from shared.store import head, items, keys
from tools.repair.problem import Item, Problem, delete

_ENTRIES = keys.assistant_entry("")


def problems(partition: str, found: list[Item]) -> Iterator[Problem]:
    """Yield the problems of a project's assistants."""
    stored = {str(item["messageId"]["S"]): item for item in found}
    yield from _of_assistants(partition, stored)
    for sort, entry in stored.items():
        if sort.startswith(_ENTRIES) and _entry(stored.get(entry["assistant"]["S"])) != sort:
            text = f"lists {entry['assistant']['S']}, which is not there"
            yield Problem(partition, text, delete(partition, sort))
    owned = {key["messageId"]["S"] for item in found for key in items.chunk_keys(item)}
    orphans = [sort for sort in stored if sort.startswith("part#") and sort not in owned]
    if orphans:
        yield Problem(partition, f"has {len(orphans)} chunks of no assistant", delete(partition, *orphans))


def _of_assistants(partition: str, stored: dict[str, Item]) -> Iterator[Problem]:
    for sort, item in stored.items():
        if "ulid" not in item:
            continue
        entry, chunks = _entry(item), [key["messageId"]["S"] for key in items.chunk_keys(item)]
        if not {*chunks} <= stored.keys():
            writes = delete(partition, sort, entry, *(chunk for chunk in chunks if chunk in stored))
            yield Problem(partition, f"has lost content of {sort}, which nobody can read", writes)
        elif stored.get(entry, {}).get("assistant") != {"S": sort}:
            listed = {**keys.key(partition, entry), "v": {"N": str(head.SCHEMA)}, "assistant": {"S": sort}}
            yield Problem(partition, f"does not list {sort}", ({"Put": {"Item": listed}},))


def _entry(assistant: Item | None) -> str:
    """Return the sort key of an assistant's entry, or an empty text without an assistant."""
    return keys.assistant_entry(assistant["ulid"]["S"]) if assistant else ""
