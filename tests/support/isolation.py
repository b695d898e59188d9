"""A DynamoDB in memory, behind botocore, that isolates no more than AWS promises. No engine shows this behaviour.

A transaction locks its items one by one, is decided, and then becomes visible item by item, in any order. A single read
shows the transaction from the decision on (in other runs, item by item). Query and BatchGetItem read each item at a
different moment, and show its version that is visible then. A write of a locked item meets a conflict, and so may
TransactGetItems. The scheduler decides all moments. Once a transaction has its response, everybody sees its items.

AWS does not limit how many later transactions of a thread may be decided before one is visible. `hang` limits it here,
to the number of messages that the head of a thread remembers.
"""

import bisect
import json
from collections import defaultdict
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from botocore.model import OperationModel

from tests.simulation.scheduler import Scheduler
from tests.support import expressions
from tests.support.hooks import hooked, response

Item = dict[str, Any]
_TRANSACTION_PARTS = ("Put", "Update", "Delete", "ConditionCheck")


@dataclass
class _Cell:
    """An item: its decided version, its visible version, and whether a transaction has locked it."""

    decided: Item | None = None
    visible: Item | None = None
    locked: bool = False


@dataclass
class _Partition:
    cells: dict[str, _Cell] = field(default_factory=dict)
    sort_keys: list[str] = field(default_factory=list)
    # The transactions that are not visible yet, as places in the order of decisions.
    decisions: int = 0
    hanging: list[int] = field(default_factory=list)

    def cell(self, sort_key: str) -> _Cell:
        if sort_key not in self.cells:
            self.cells[sort_key] = _Cell()
            bisect.insort(self.sort_keys, sort_key)
        return self.cells[sort_key]


class _RefusedError(Exception):
    """The response to the call is this error."""

    def __init__(self, code: str, **further: Any) -> None:
        super().__init__(code)
        self.answer = {"Error": {"Code": code, "Message": "refused"}, **further}


class Engine:
    """The table. `hang` is how many creates of a thread may overtake one that is not yet visible.

    With `slow_reads`, a GetItem or Query now and then takes as long as many creates, like a call that is sent again.
    With `stalls`, a thread's transaction of this number takes as long, before an item other than the head.
    """

    def __init__(self, scheduler: Scheduler, hang: int = 16, *, slow_reads: bool = False, stalls: int = 0) -> None:
        self._scheduler = scheduler
        self._random = scheduler.random
        self._hang = hang
        self._slow_reads = slow_reads
        self._stalls = stalls
        self._partitions: defaultdict[str, _Partition] = defaultdict(_Partition)
        # AWS's promise "serializable with single reads" has two readings: from the decision on, or item by item.
        self._shows_decided = self._random.random() < 0.5
        self.calls = {
            "GetItem": self._get_item,
            "TransactGetItems": self._transact_get,
            "BatchGetItem": self._batch_get,
            "Query": self._query,
            "PutItem": lambda request: self._write("Put", request),
            "UpdateItem": lambda request: self._write("Update", request),
            "DeleteItem": lambda request: self._write("Delete", request),
            "TransactWriteItems": self._transact_write,
        }

    def serving(self) -> AbstractContextManager[None]:
        """Respond to the calls of the table's client, after botocore has serialized and before it signs them."""
        return hooked(before_call=self._answer)

    def _answer(self, model: OperationModel, params: dict[str, Any], **_: Any) -> Any:
        self._scheduler.pause()
        try:
            status, answer = 200, self.calls[model.name](json.loads(params["body"]))
        except _RefusedError as refused:
            status, answer = 400, refused.answer
        self._scheduler.pause(self._delay())
        return response(answer, status)

    def _delay(self) -> int:
        """Return a delay in steps. It is mostly 0, and sometimes long."""
        return self._random.choice((2, 10, 40)) if self._random.random() < 0.15 else 0

    def _wait_long(self, may: bool, how_often: float) -> None:
        if may and self._random.random() < how_often:
            self._scheduler.pause(self._random.choice((100, 400, 1_600)))

    def _cell(self, key: Item) -> _Cell:
        return self._partitions[key["threadId"]["S"]].cell(key["messageId"]["S"])

    def _get_item(self, request: Item) -> Item:
        self._wait_long(self._slow_reads, 0.3)
        cell = self._cell(request["Key"])
        return _response(cell.decided if self._shows_decided else cell.visible)

    def _transact_get(self, request: Item) -> Item:
        cells = [self._cell(part["Get"]["Key"]) for part in request["TransactItems"]]
        if any(cell.locked for cell in cells) and not (self._shows_decided and self._random.random() < 0.5):
            raise _cancelled(["TransactionConflict" if cell.locked else "None" for cell in cells])
        return {"Responses": [_response(cell.decided) for cell in cells]}

    def _batch_get(self, request: Item) -> Item:
        ((table, asked),) = request["RequestItems"].items()
        found = []
        for key in asked["Keys"]:
            if item := self._cell(key).visible:
                found.append(item)
            self._scheduler.pause(self._delay())
        return {"Responses": {table: found}}

    def _query(self, request: Item) -> Item:
        self._wait_long(self._slow_reads, 0.1)
        partition, low, high = (
            request["ExpressionAttributeValues"][f":{name}"]["S"] for name in ("partition", "low", "high")
        )
        forward, limit = request.get("ScanIndexForward", True), request.get("Limit", 1_000)
        found: list[Item] = []
        position = request.get("ExclusiveStartKey", {}).get("messageId", {}).get("S")
        sort_keys = self._partitions[partition].sort_keys
        while len(found) < limit:
            position = _following(sort_keys, low, high, position, forward=forward)
            if position is None:
                return {"Items": found, "Count": len(found)}
            if item := self._partitions[partition].cells[position].visible:
                found.append(item)
            self._scheduler.pause(self._delay())
        last = {"threadId": {"S": partition}, "messageId": {"S": position}}
        return {"Items": found, "Count": len(found), "LastEvaluatedKey": last}

    def _write(self, kind: str, request: Item) -> Item:
        cell = self._cell(_key(kind, request))
        if cell.locked:
            raise _RefusedError("TransactionConflictException")
        if not expressions.holds(request, cell.decided):
            raise _RefusedError("ConditionalCheckFailedException", **_response(cell.decided))
        cell.decided = cell.visible = expressions.written(kind, request, cell.decided)
        return {"Attributes": cell.visible} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _transact_write(self, request: Item) -> Item:
        parts = [(kind, part[kind]) for part in request["TransactItems"] for kind in _TRANSACTION_PARTS if kind in part]
        keys = [_key(kind, write) for kind, write in parts]
        cells = [self._cell(key) for key in keys]
        self._lock(cells)
        reasons = [
            {"Code": "None"} if expressions.holds(write, cell.decided) else _failed(cell)
            for (_, write), cell in zip(parts, cells, strict=True)
        ]
        if any(reason["Code"] != "None" for reason in reasons):
            for cell in cells:
                cell.locked = False
            raise _RefusedError("TransactionCanceledException", CancellationReasons=reasons)
        place = self._decided(partition := self._partitions[keys[0]["threadId"]["S"]])
        for (kind, write), cell in zip(parts, cells, strict=True):
            cell.decided = expressions.written(kind, write, cell.decided)
        for cell in self._random.sample(cells, len(cells)):
            self._scheduler.pause(self._delay())
            self._wait_long(place == self._stalls and cell is not cells[0], 1)
            cell.visible = cell.decided
            cell.locked = False
        partition.hanging.remove(place)
        return {}

    def _lock(self, cells: list[_Cell]) -> None:
        taken: list[_Cell] = []
        for cell in cells:
            if cell.locked:
                for other in taken:
                    other.locked = False
                raise _cancelled(["TransactionConflict" if one is cell else "None" for one in cells])
            cell.locked = True
            taken.append(cell)
            self._scheduler.pause()

    def _decided(self, partition: _Partition) -> int:
        """Wait until the transaction may be decided. Return its place in the order of decisions."""
        while partition.hanging and partition.decisions - min(partition.hanging) >= self._hang:
            self._scheduler.pause()
        partition.decisions += 1
        partition.hanging.append(partition.decisions)
        return partition.decisions


def _key(kind: str, write: Item) -> Item:
    item = write["Item"] if kind == "Put" else write["Key"]
    return {name: item[name] for name in ("threadId", "messageId")}


def _response(item: Item | None) -> Item:
    return {"Item": item} if item else {}


def _failed(cell: _Cell) -> Item:
    return {"Code": "ConditionalCheckFailed", **_response(cell.decided)}


def _cancelled(codes: list[str]) -> _RefusedError:
    return _RefusedError("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def _following(sort_keys: list[str], low: str, high: str, position: str | None, *, forward: bool) -> str | None:
    """Return the next sort key that a Query reads, or None at its end."""
    if forward:
        at = bisect.bisect_left(sort_keys, low) if position is None else bisect.bisect_right(sort_keys, position)
        return sort_keys[at] if at < len(sort_keys) and sort_keys[at] <= high else None
    at = bisect.bisect_right(sort_keys, high) if position is None else bisect.bisect_left(sort_keys, position)
    return sort_keys[at - 1] if at and sort_keys[at - 1] >= low else None
