"""Reading the stream of a table in an engine: each change once, in Lambda's form, even if iterators expire."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tools.local import template
from tools.local.dynamodb import table_stream

_TABLE = "changes"


def _client(service: str, url: str) -> Any:
    session: Any = boto3.Session("local", "local", region_name=template.REGION)
    return session.client(service, endpoint_url=url)


@pytest.fixture
def table(dynamodb_local: str) -> Any:
    """Return a client of an engine with a table that already has an item."""
    client = _client("dynamodb", dynamodb_local)
    if _TABLE not in client.list_tables()["TableNames"]:
        client.create_table(**template.load().table | {"TableName": _TABLE})
    _put(client, "before")
    return client


def _put(client: Any, name: str) -> None:
    item = {"threadId": {"S": "thread"}, "messageId": {"S": name}, "data": {"B": b"\x00\xff"}}
    client.put_item(TableName=_TABLE, Item=item)


def _stream(table: Any, url: str) -> tuple[table_stream._Stream, Any]:
    client = _client("dynamodbstreams", url)
    return table_stream._Stream(client, table.describe_table(TableName=_TABLE)["Table"]["LatestStreamArn"]), client


def _names(records: list[table_stream.Record]) -> list[str]:
    return [record["dynamodb"]["Keys"]["messageId"]["S"] for record in records]


def test_what_comes_from_now_on_is_read_once_as_plain_json(table: Any, dynamodb_local: str) -> None:
    stream, _ = _stream(table, dynamodb_local)
    assert stream.read() == []
    _put(table, "one")
    _put(table, "two")
    records = stream.read()
    assert _names(records) == ["one", "two"]
    assert records[0]["dynamodb"]["NewImage"]["data"] == {"B": "AP8="}
    assert isinstance(records[0]["dynamodb"]["ApproximateCreationDateTime"], float)
    assert stream.read() == []


@pytest.mark.parametrize("refused", [[], ["TrimmedDataAccessException"]])
def test_an_iterator_that_expired_is_replaced(table: Any, dynamodb_local: str, refused: list[str]) -> None:
    stream, client = _stream(table, dynamodb_local)
    name = f"after {len(refused)}"
    _put(table, name)
    assert _names(stream.read()) == [name]
    _put(table, f"{name}, too")
    expired = ["ExpiredIteratorException"]

    def refuse(codes: list[str]) -> Any:
        def answer(**_: Any) -> Any:
            if codes:
                return SimpleNamespace(status_code=400), {"Error": {"Code": codes.pop(), "Message": ""}}
            return None

        return answer

    client.meta.events.register("before-call.dynamodb-streams.GetRecords", refuse(expired))
    client.meta.events.register("before-call.dynamodb-streams.GetShardIterator", refuse(refused))
    found = _names(stream.read())
    assert found[-1] == f"{name}, too"
    # If the engine no longer has the last record, all records that it still has come again.
    assert len(found) == 1 or found[0] == "before"
    assert expired == refused == []
    assert stream.read() == []


def test_the_shards_that_follow_one_that_ended_are_read_from_their_beginning() -> None:
    client = _client("dynamodbstreams", "http://127.0.0.1:9")
    shards = [{"ShardId": "shardId-old-0000000000000000", "SequenceNumberRange": {"EndingSequenceNumber": "9"}}]
    shards.append(
        {
            "ShardId": "shardId-one-0000000000000000",
            "ParentShardId": "shardId-old-0000000000000000",
            "SequenceNumberRange": {},
        }
    )
    pages: dict[str, list[dict[str, Any]]] = {
        "one LATEST": [{"Records": [{"dynamodb": {"SequenceNumber": "10"}}]}],
        "two TRIM_HORIZON": [{"Records": [{"dynamodb": {"SequenceNumber": "20"}}], "NextShardIterator": "end"}],
        "end": [{"Records": [], "NextShardIterator": "end"}],
    }

    def answer(params: dict[str, Any], model: Any, **_: Any) -> Any:
        asked = json.loads(params["body"])
        if model.name == "DescribeStream":
            found: dict[str, Any] = {"StreamDescription": {"Shards": shards}}
        elif model.name == "GetShardIterator":
            found = {"ShardIterator": f"{asked['ShardId'][8:11]} {asked['ShardIteratorType']}"}
        else:
            found = pages[asked["ShardIterator"]][0]
        return SimpleNamespace(status_code=200), found

    client.meta.events.register("before-call.dynamodb-streams", answer)
    stream = table_stream._Stream(client, f"arn:aws:dynamodb:{template.REGION}:{template.ACCOUNT}:table/t/stream/1")
    shards.append(
        {
            "ShardId": "shardId-two-0000000000000000",
            "ParentShardId": "shardId-one-0000000000000000",
            "SequenceNumberRange": {},
        }
    )
    numbers = [[record["dynamodb"]["SequenceNumber"] for record in stream.read()] for _ in range(3)]
    assert numbers == [["10"], ["20"], []]
