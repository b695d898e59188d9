"""What the functions ask of AWS: each call with what DynamoDB bills for it, and a process that dies at one of them."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from botocore.model import OperationModel


class Call(NamedTuple):
    """One call to DynamoDB, with the units it consumed."""

    operation: str
    read_units: float
    write_units: float


class KilledError(BaseException):
    """The process ended here; a BaseException, so that no code of ours can go on after it."""


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """Yield the list of the table's calls, which grows as they are made, with ReturnConsumedCapacity in each."""
    calls: list[Call] = []

    def ask(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        units = sum(part["CapacityUnits"] for part in (consumed if isinstance(consumed, list) else [consumed]))
        writes = model.name in _WRITES
        calls.append(Call(model.name, 0.0 if writes else units, units if writes else 0.0))

    events = _table_events()
    with _registered(events, "before-parameter-build.dynamodb", ask), _registered(events, "after-call.dynamodb", note):
        yield calls


@contextmanager
def killed_at(step: int, *, done: bool) -> Iterator[None]:
    """End the process at its call number `step` (from 0) to DynamoDB or SQS; raises `KilledError` there.

    `done` says whether AWS still carries that call out.
    """
    from shared import erasure_queue

    counter = itertools.count()

    def maybe_die(**_: Any) -> None:
        if next(counter) == step:
            raise KilledError

    moment = "after-call" if done else "before-call"
    with ExitStack() as stack:
        for events in (_table_events(), erasure_queue._client.meta.events):
            stack.enter_context(_registered(events, moment, maybe_die))
        yield


_WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}


def _table_events() -> Any:
    from shared.store import table

    return table._client.meta.events


@contextmanager
def _registered(events: Any, name: str, handler: Any) -> Iterator[None]:
    # First of all handlers: a fake queue answers before-call by itself, and none after it would be asked.
    events.register_first(name, handler)
    try:
        yield
    finally:
        events.unregister(name, handler)
