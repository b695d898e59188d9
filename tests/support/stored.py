"""Reads and changes items of the table directly, without the operations."""

from typing import Any


def sort_keys(partition: str, prefix: str = "") -> list[str]:
    """Return the sort keys of a partition that begin with a prefix, in order."""
    from shared.store import table

    found = table.query(partition, prefix or "!", f"{prefix}~")
    return [item["messageId"]["S"] for item in found]


def item(partition: str, sort: str) -> dict[str, Any]:
    """Return an item, which must exist."""
    from shared.store import keys, table

    found = table.get(keys.key(partition, sort))
    assert found is not None
    return found


def change(partition: str, sort: str, **attributes: dict[str, Any]) -> None:
    """Set attributes of an item, in DynamoDB's form."""
    from shared.store import keys, table

    table.update(
        keys.key(partition, sort),
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
        ExpressionAttributeNames={f"#{name}": name for name in attributes},
        ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
    )


def remove(partition: str, *prefixes: str) -> None:
    """Remove the items of a partition whose sort keys begin with one of the prefixes."""
    from shared.store import keys, table

    for prefix in prefixes:
        table.batch_delete([keys.key(partition, sort) for sort in sort_keys(partition, prefix)])
