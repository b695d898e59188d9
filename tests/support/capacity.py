"""What DynamoDB bills: each call of the store with the units that it consumes."""

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3
from botocore.model import OperationModel

from tests.support.hooks import hooked

_WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}


class Call(NamedTuple):
    """One call to DynamoDB, with the units it consumed."""

    operation: str
    read_units: float
    write_units: float


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """Yield the list of the table's calls, which grows as they are made.

    Units are the engine's ConsumedCapacity, but for transactions that write: DynamoDB Local adds up their items and
    bills a single put of 10 bytes with 4 units. Those are counted by DynamoDB's rule from the items themselves. It also
    does not bill an item of a batch that is not there, which costs what the smallest item does.
    """
    calls: list[Call] = []

    def ask(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def weigh(model: OperationModel, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if model.name == "TransactWriteItems":
            context["items"] = json.loads(params["body"])["TransactItems"]
            context["sizes"] = _sizes(context["items"])
        context["request"] = json.loads(params["body"])

    def note(model: OperationModel, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        units = sum(part["CapacityUnits"] for part in (consumed if isinstance(consumed, list) else [consumed]))
        if model.name == "TransactWriteItems":
            larger = map(max, context["sizes"], _sizes(context["items"]))
            units = sum(2.0 * math.ceil(max(size, 1) / 1024) for size in larger)
        units += _missing(context["request"], parsed) if model.name == "BatchGetItem" else 0.0
        writes = model.name in _WRITES
        calls.append(Call(model.name, 0.0 if writes else units, units if writes else 0.0))

    with hooked(before_parameter_build=ask, before_call=weigh, after_call=note):
        yield calls


def _missing(request: dict[str, Any], parsed: dict[str, Any]) -> int:
    """Return how many items of a batch are not there."""
    asked = sum(len(keys["Keys"]) for keys in request["RequestItems"].values())
    return asked - sum(map(len, parsed["Responses"].values()))


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


def _sizes(writes: list[dict[str, Any]]) -> list[int]:
    """Return the present size of each item that a transaction writes."""
    engine = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
    sizes = []
    for write in writes:
        (part,) = write.values()
        key = part.get("Key") or {name: part["Item"][name] for name in ("threadId", "messageId")}
        found = engine.get_item(TableName=part["TableName"], Key=key, ConsistentRead=True).get("Item", {})
        sizes.append(item_size(found))
    return sizes
