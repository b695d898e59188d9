"""What runs in a peer's own environment: it does what a line of stdin asks for, and answers with what that took."""

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3

_WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}


def session(calls: list[tuple[float, float]]) -> Any:
    """Return a boto3 session whose clients add the read and write units of each call of DynamoDB to a list."""
    made = boto3.Session()

    def ask(params: dict[str, Any], model: Any, **_: Any) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def note(model: Any, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        units = sum(part["CapacityUnits"] for part in (consumed if isinstance(consumed, list) else [consumed]))
        calls.append((0, units) if model.name in _WRITES else (units, 0))

    made.events.register("provide-client-params.dynamodb", ask)
    made.events.register("after-call.dynamodb", note)
    return made


def create_table(aws: Any, name: str, *keys: str) -> None:
    """Create a table with a hash key and perhaps a range key, both texts."""
    kinds = dict(zip(keys, ("HASH", "RANGE"), strict=False))
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


def serve(operations: dict[str, Callable[[int], Any]], calls: list[tuple[float, float]]) -> None:
    """Run the operation that each line names, with the size of the thread, until stdin ends."""
    logging.disable()  # what fails is told in the answer
    for line in sys.stdin:
        name, size = line.split()
        calls.clear()
        started = time.perf_counter()
        error = ""
        try:
            operations[name](int(size))
        except Exception as raised:  # noqa: BLE001 - that it fails, and how, is what is measured
            error = f"{type(raised).__name__}: {raised}"
        milliseconds = (time.perf_counter() - started) * 1000
        reads, writes = (sum(units) for units in zip((0, 0), *calls, strict=True))
        found = {"ms": milliseconds, "calls": len(calls), "reads": reads, "writes": writes, "error": error}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
