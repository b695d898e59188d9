"""What DynamoDB bills: each call of the store with the units that it consumes."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

from botocore.client import BaseClient

_READS = {"BatchGetItem", "GetItem", "Query", "TransactGetItems"}
_WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}


class Call(NamedTuple):
    """One call to DynamoDB, with the units it consumed."""

    operation: str
    read_units: float
    write_units: float


def units(calls: Sequence[Call]) -> tuple[float, float]:
    """Return the read and the write units of calls."""
    return sum(call.read_units for call in calls), sum(call.write_units for call in calls)


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """Yield the list of the calls of all clients for items, which grows as they are made.

    Units are the engine's ConsumedCapacity, but for transactions that write: DynamoDB Local adds up their items and
    bills a single put of 10 bytes with 4 units. Those are counted by DynamoDB's rule from the items themselves. It also
    does not bill an item of a batch that is not there, which costs what the smallest item does.
    """
    calls: list[Call] = []
    base: Any = BaseClient
    call = base._make_api_call

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation not in _READS | _WRITES:
            return call(client, operation, parameters)

        def sizes() -> list[int]:
            """Return the present size of each item that a transaction writes."""
            gets = map(_get, parameters["TransactItems"]) if operation == "TransactWriteItems" else ()
            return [item_size(call(client, "GetItem", get).get("Item", {})) for get in gets]

        before = sizes()
        answer: dict[str, Any] = {}
        try:
            answer = call(client, operation, parameters | {"ReturnConsumedCapacity": "TOTAL"})
        finally:
            consumed = answer.get("ConsumedCapacity", [])
            units = sum(part["CapacityUnits"] for part in (consumed if isinstance(consumed, list) else [consumed]))
            if operation == "TransactWriteItems":
                units = sum(2.0 * math.ceil(max(size, 1) / 1024) for size in map(max, before, sizes()))
            units += _missing(parameters, answer) if operation == "BatchGetItem" else 0.0
            calls.append(Call(operation, *((0.0, units) if operation in _WRITES else (units, 0.0))))
        return answer

    with mock.patch.object(base, "_make_api_call", noted):
        yield calls


def _get(write: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that read the item of a transaction's part."""
    (part,) = write.values()
    key = part.get("Key") or {name: part["Item"][name] for name in ("threadId", "messageId")}
    return {"TableName": part["TableName"], "Key": key, "ConsistentRead": True}


def _missing(request: dict[str, Any], answer: dict[str, Any]) -> int:
    """Return how many items of a batch are not there."""
    asked = sum(len(keys["Keys"]) for keys in request["RequestItems"].values())
    return asked - sum(map(len, answer.get("Responses", {}).values()))


def item_size(item: dict[str, Any]) -> int:
    """Return the bytes of an item as DynamoDB counts them: names and values, see "DynamoDB Item sizes and formats"."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(attribute: dict[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":
            return len(value)
        case "N":
            return len(value) // 2 + 2
        case "L":
            return 3 + sum(1 + _value_size(element) for element in value)
        case "M":
            return 3 + sum(1 + len(name) + _value_size(element) for name, element in value.items())
        case _:
            return 1
