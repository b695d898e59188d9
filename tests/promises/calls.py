"""What the functions ask of AWS: each call with what DynamoDB bills for it, and a process that dies at one of them."""

import itertools
import re
from collections.abc import Callable, Iterator
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
def partitions() -> Iterator[set[str]]:
    """Yield the set of the partitions that calls name; it grows as they are made."""
    found: set[str] = set()

    def note(params: dict[str, Any], **_: Any) -> None:
        found.update(re.findall(r'"(?:threadId|:partition)": ?{"S": ?"([^"]*)"}', params["body"].decode()))

    with _registered(_table_events(), "before-call.dynamodb", note):
        yield found


@contextmanager
def at(step: int, action: Callable[[], object], *, done: bool = False) -> Iterator[list[int]]:
    """Let something happen just before the call number `step` (from 0) to DynamoDB or SQS, or just after it is done.

    Yields the list of the steps at which it happened: empty, or with this one.
    """
    from shared import erasure_queue

    counter = itertools.count()
    happened: list[int] = []

    def act(**_: Any) -> None:
        if next(counter) == step:
            happened.append(step)
            action()

    moment = "after-call" if done else "before-call"
    with ExitStack() as stack:
        for events in (_table_events(), erasure_queue._client.meta.events):
            stack.enter_context(_registered(events, moment, act))
        yield happened


def killed(step: int, process: Callable[[], object], *, done: bool) -> bool:
    """Run a process that ends at its call number `step`; tell whether it did, or came to its own end before.

    `done` says whether AWS still carries that call out.
    """
    with at(step, _die, done=done):
        try:
            process()
        except KilledError:
            return True
    return False


def _die() -> None:
    raise KilledError


_WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}


def _table_events() -> Any:
    from shared.store import table

    return table._client.meta.events


@contextmanager
def _registered(events: Any, name: str, handler: Any) -> Iterator[None]:
    # First of all: a queue that stands in for SQS answers in before-call, and no handler after it is asked.
    events.register_first(name, handler)
    try:
        yield
    finally:
        events.unregister(name, handler)
