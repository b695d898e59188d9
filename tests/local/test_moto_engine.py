"""The engine in memory, compared with unchanged moto: the same responses, and costs that do not grow with the table."""

import copy
import itertools
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import boto3
import moto
import pytest
from botocore.exceptions import ClientError
from moto.core.serialize import AttributePicker
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from tools.local.dynamodb import moto_engine, table_stream

_TABLE = "engine"
# An attribute of every kind that the store writes.
_DATA: dict[str, Any] = {"data": {"L": [{"S": "x"}, {"N": "1"}, {"B": b"x"}, {"BOOL": True}, {"M": {"S": {"S": "y"}}}]}}
# What the engine replaces in the version that it knows, as moto has it.
_OWN: list[tuple[type, str, Any]] = [
    (Table, "query", moto_engine._query),
    (DynamoDBBackend, "transact_write_items", moto_engine._transact_write_items),
    (AttributePicker, "__call__", moto_engine._pick),
]


@contextmanager
def _moto_as_it_is() -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, own in _OWN:
            stack.enter_context(patch.object(owner, name, own))
        yield


def _key(partition: str, sort: str) -> dict[str, Any]:
    return {"threadId": {"S": partition}, "messageId": {"S": sort}}


@pytest.fixture
def client(in_memory: None) -> Iterator[Any]:
    """Return a client. Its own table has a stream, and 40 items in each of two partitions."""
    dynamodb: Any = boto3.client("dynamodb")
    keys = {"threadId": "HASH", "messageId": "RANGE"}
    dynamodb.create_table(
        TableName=_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    numbers = random.Random(1).sample(range(100), 40)
    for partition, some in itertools.product("ab", (numbers[:20], numbers[20:])):
        puts = [{"PutRequest": {"Item": _key(partition, f"m{number:02}") | _DATA}} for number in some]
        dynamodb.batch_write_item(RequestItems={_TABLE: puts})
    yield dynamodb
    dynamodb.delete_table(TableName=_TABLE)


def _items(client: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.scan(TableName=_TABLE)["Items"]
    return items


def test_the_installed_moto_is_the_one_that_the_engine_knows() -> None:
    """With another version, read what `moto_engine.running` patches again before you change KNOWN_VERSION."""
    assert moto.__version__ == moto_engine.KNOWN_VERSION


def test_with_another_version_moto_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moto, "__version__", "99.0.0")
    with _moto_as_it_is(), moto_engine.running():
        assert [getattr(owner, name) for owner, name, _ in _OWN] == [own for _, _, own in _OWN]


def test_queries_have_the_pages_of_moto(client: Any) -> None:
    drawn = random.Random(2)
    for _ in range(300):
        low, high, start = (f"m{drawn.randrange(-5, 105):02}" for _ in range(3))
        query: dict[str, Any] = {
            "TableName": _TABLE,
            "KeyConditionExpression": "threadId = :partition",
            "ExpressionAttributeValues": {":partition": {"S": drawn.choice("abc")}},
            "ScanIndexForward": drawn.choice([True, False]),
        }
        if drawn.random() < 0.8:
            query["KeyConditionExpression"] += " AND messageId BETWEEN :low AND :high"
            query["ExpressionAttributeValues"] |= {":low": {"S": min(low, high)}, ":high": {"S": max(low, high)}}
        elif drawn.random() < 0.5:
            query["KeyConditionExpression"] += " AND begins_with(messageId, :low)"
            query["ExpressionAttributeValues"] |= {":low": {"S": low[:2]}}
        if drawn.random() < 0.6:
            query["Limit"] = drawn.randrange(1, 50)
        if drawn.random() < 0.5:
            query["ExclusiveStartKey"] = _key(query["ExpressionAttributeValues"][":partition"]["S"], start)

        page = client.query(**query)
        with _moto_as_it_is():
            expected = client.query(**query)
        del page["ResponseMetadata"], expected["ResponseMetadata"]
        assert page == expected, query


@pytest.mark.parametrize("fails_at_its", ["first part", "last part"])
def test_a_transaction_that_is_cancelled_changes_nothing(client: Any, fails_at_its: str) -> None:
    before = _items(client)
    sorts = [item["messageId"]["S"] for item in before if item["threadId"]["S"] == "a"]
    read = table_stream.in_memory(_TABLE)
    read()
    update = {"UpdateExpression": "SET #data[0] = :new", "ExpressionAttributeNames": {"#data": "data"}}
    update |= {"Key": _key("a", sorts[0]), "ExpressionAttributeValues": {":new": {"S": "changed"}}}
    check = {"Key": _key("b", "missing"), "ConditionExpression": "attribute_exists(threadId)"}
    parts: list[dict[str, Any]] = [
        {"Update": update},
        {"Delete": {"Key": _key("a", sorts[1])}},
        {"Put": {"Item": _key("a", sorts[2]) | {"data": {"S": "replaced"}}}},
        {"Put": {"Item": _key("new", "m")}},
        {"ConditionCheck": check},
    ]
    ordered = parts if fails_at_its == "last part" else parts[::-1]

    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=[_in_table(part) for part in ordered])
    assert _items(client) == before
    assert read() == []

    client.transact_write_items(TransactItems=[_in_table(part) for part in parts[:-1]])
    assert len(_items(client)) == len(before)
    assert [record["eventName"] for record in read()] == ["MODIFY", "REMOVE", "MODIFY", "INSERT"]


def _in_table(part: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"TableName": _TABLE, **operation} for kind, operation in part.items()}


def test_a_key_of_the_wrong_form_is_refused(client: Any) -> None:
    put = {"Put": {"TableName": _TABLE, "Item": {"threadId": {"S": "a"}}}}
    with pytest.raises(ClientError) as refused:
        client.transact_write_items(TransactItems=[put])
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_transaction_copies_only_what_it_writes(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unchanged, moto copies the table before each part. A create took three times as long after 1,500 messages."""
    copied: list[str] = []
    deepcopy = copy.deepcopy

    def counting(thing: Any, memo: Any = None) -> Any:
        if isinstance(thing, Item):
            copied.append(thing.range_key.value if thing.range_key else "")
        return deepcopy(thing, memo)

    monkeypatch.setattr(copy, "deepcopy", counting)
    sort = _items(client)[0]["messageId"]["S"]
    copied.clear()
    parts = [{"Put": {"Item": _key("a", sort)}}, {"Put": {"Item": _key("a", "new")}}]
    client.transact_write_items(TransactItems=[_in_table(part) for part in parts])
    assert copied == [sort]
