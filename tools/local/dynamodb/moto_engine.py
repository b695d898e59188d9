"""Changes moto so that it can serve: it processes one call at a time, and calls do not slow down as the table grows."""

import copy
import inspect
import threading
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import moto
from moto import mock_aws
from moto.core.model_instances import model_data
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

# The version whose internals this module knows. With any other version, calls are correct but slow.
KNOWN_VERSION = "5.2.5"

# Each call of the engine holds this lock. A handler makes two calls at once, and handlers run in several threads.
lock = threading.Lock()

_query = Table.query
_QUERY_ARGUMENTS = inspect.signature(Table.query)
_transact_write_items = DynamoDBBackend.transact_write_items
_pick = AttributePicker.__call__


@contextmanager
def running() -> Iterator[None]:
    """Let moto respond to every call of botocore in this process."""
    with ExitStack() as stack:
        stack.enter_context(mock_aws())
        stack.enter_context(patch.object(DynamoHandler, "call_action", _one_at_a_time(DynamoHandler.call_action)))
        if moto.__version__ == KNOWN_VERSION:
            stack.enter_context(patch.object(DynamoDBBackend, "transact_write_items", _transact))
            stack.enter_context(patch.object(Table, "query", _query_in_range))
            stack.enter_context(patch.object(AttributePicker, "__call__", _pick_value))
        yield


def forget_copies() -> None:
    """Let moto drop objects that it no longer needs. Otherwise it keeps them all: gigabytes after 1,000 creates."""
    models: dict[str, Any] = dict(model_data["dynamodb"])
    for model in models.values():
        model.instances_tracked = deque(maxlen=0)


def _one_at_a_time(call: Callable[[DynamoHandler], Any]) -> Callable[[DynamoHandler], Any]:
    def locked(handler: DynamoHandler) -> Any:
        with lock:
            return call(handler)

    return locked


def _transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Run moto's transaction. moto first copies the whole table for each write, to restore the copy on failure.

    The copy made here shares with the table all items that the transaction does not write.
    """
    operations = [operation for item in transact_items for operation in item.values()]
    copies: dict[str, Table] = {}

    def copy_once(table: Table, _memo: dict[int, Any]) -> Table:
        if table.name not in copies:
            own = [operation for operation in operations if operation.get("TableName") == table.name]
            keys = [backend.get_keys_value(table, operation.get("Key") or operation["Item"]) for operation in own]
            copies[table.name] = _copy_for(keys, table)
        return copies[table.name]

    with patch.object(Table, "__deepcopy__", copy_once, create=True):
        _transact_write_items(backend, transact_items)


def _copy_for(keys: list[tuple[Any, Any]], table: Table) -> Table:
    copied = copy.copy(table)
    copied.items = table.items.copy()
    for partition in {partition for partition, _ in keys} & table.items.keys():
        copied.items[partition] = dict(table.items[partition])
    for partition, sort in keys:
        if item := table.items.get(partition, {}).get(sort):
            copied.items[partition][sort] = copy.deepcopy(item)
    if table.stream_shard:
        copied.stream_shard = copy.copy(table.stream_shard)
        copied.stream_shard.table = copied
        copied.stream_shard.items = [*table.stream_shard.items]
    return copied


def _query_in_range(table: Table, *arguments: Any, **options: Any) -> Any:
    """Run moto's query on only the items that it needs.

    moto's own query sorts the whole table, and walks through it to the first item in range.
    """
    query = _QUERY_ARGUMENTS.bind(table, *arguments, **options).arguments
    if query.get("index_name") or table.range_key_type != "S" or query["range_comparison"] not in (None, "BETWEEN"):
        return _query(table, *arguments, **options)
    items = _items_in_range(table.items.get(query["hash_key"], {}), query, str(table.range_key_attr))
    with patch.object(table, "all_items", lambda: items):
        return _query(table, *arguments, **options)


def _items_in_range(partition: dict[Any, Any], query: dict[str, Any], range_key: str) -> list[Any]:
    """Return the items of a page, and the item after them. From this item moto knows that there is another page."""
    items = {key.value: item for key, item in partition.items()}
    keys = sorted(items)
    first, end = 0, len(keys)
    if query["range_comparison"] == "BETWEEN":
        low, high = (bound.value for bound in query["range_objs"])
        first, end = bisect_left(keys, low), bisect_right(keys, high)
    start = query["exclusive_start_key"] and query["exclusive_start_key"][range_key]["S"]
    if query["scan_index_forward"] is not False:
        first = max(first, bisect_right(keys, start)) if start else first
        last = end + 1 if query["limit"] is None else min(end, first + query["limit"]) + 1
        return [items[key] for key in keys[first:last]]
    end = min(end, bisect_left(keys, start)) if start else end
    first = first if query["limit"] is None else max(first, end - query["limit"])
    return [items[key] for key in keys[max(first - 1, 0) : end]]


def _pick_value(picker: AttributePicker, context: AttributePickerContext) -> Any:
    """Return a member of an attribute's value by its own name.

    moto also tries other names for each member, which takes a third of a call's time.
    """
    parent = getattr(context.shape, "parent", None)
    if parent is not None and parent.name == "AttributeValue":
        return context.obj.get(context.key)
    return _pick(picker, context)
