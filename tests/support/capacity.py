"""Records the store's calls of DynamoDB, each with the units that DynamoDB bills."""

import base64
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
    """Yield a list to which each call of any client that reads or writes items is added.

    Units are the engine's ConsumedCapacity, except for transactions that write. DynamoDB Local adds up their items and
    bills a single put of 10 bytes with 4 units. So their units are counted from the items, by DynamoDB's rule. DynamoDB
    Local also does not bill a batch's missing item. Its units are added here: they are those of the smallest item.
    """
    calls: list[Call] = []
    base: Any = BaseClient
    call = base._make_api_call

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation not in _READS | _WRITES:
            return call(client, operation, parameters)

        def sizes() -> list[int]:
            """Return the current size of each item that a transaction writes."""
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
    """Return the parameters of a GetItem for the item of a transaction's part."""
    (part,) = write.values()
    key = part.get("Key") or {name: part["Item"][name] for name in ("threadId", "messageId")}
    return {"TableName": part["TableName"], "Key": key, "ConsistentRead": True}


def _missing(request: dict[str, Any], answer: dict[str, Any]) -> int:
    """Return how many items of a batch do not exist."""
    asked = sum(len(keys["Keys"]) for keys in request["RequestItems"].values())
    return asked - sum(map(len, answer.get("Responses", {}).values()))


def item_size(item: dict[str, Any]) -> int:
    """Return an item's bytes, names and values, as DynamoDB counts them: see "DynamoDB Item sizes and formats"."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(attribute: dict[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":  # the store's client leaves it as base64 text
            return len(value if isinstance(value, bytes) else base64.b64decode(value))
        case "N":
            return len(value) // 2 + 2
        case "L":
            return 3 + sum(1 + _value_size(element) for element in value)
        case "M":
            return 3 + sum(1 + len(name) + _value_size(element) for name, element in value.items())
        case _:
            return 1
