"""The changes of the table, read from its stream, in the form in which Lambda passes them to a function."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto.backends import get_backend

from tools.local.dynamodb import moto_engine
from tools.local.template import ACCOUNT, REGION

Record = dict[str, Any]
# Returns the records since the last call, oldest first for each item.
Read = Callable[[], list[Record]]


def in_memory(table: str) -> Read:
    """Return a function that removes and returns the records of a table's stream in moto, between two engine calls.

    It removes them because each transaction copies the records that are still in the stream. The streams API cannot
    remove records, and its iterators become invalid when moto undoes a transaction.
    """

    def read() -> list[Record]:
        with moto_engine.lock:
            shard: Any = get_backend("dynamodb")[ACCOUNT][REGION].tables[table].stream_shard
            taken, shard.items = shard.items, []
            shard.starting_sequence_number += len(taken)
        return _as_json([record.to_json() for record in taken])

    return read


def in_engine(table: str, url: str) -> Read | None:
    """Return a function that reads the changes of a table from now on, or None if the table has no stream."""
    client: Any = boto3.client("dynamodbstreams", endpoint_url=url)
    try:
        arn = boto3.client("dynamodb").describe_table(TableName=table)["Table"].get("LatestStreamArn")
        return _Stream(client, arn).read if arn else None
    except ClientError:
        return None


class _Stream:
    """Keeps the position in each shard of a stream. A shard is read only after its parent."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn
        self._iterators: dict[str, str | None] = {}
        self._last: dict[str, str] = {}
        for shard in self._shards():
            ended = "EndingSequenceNumber" in shard["SequenceNumberRange"]
            self._iterators[shard["ShardId"]] = (
                None if ended else self._start(shard["ShardId"], ShardIteratorType="LATEST")
            )

    def read(self) -> list[Record]:
        records: list[Record] = []
        for shard_id, iterator in [*self._iterators.items()]:
            if iterator:
                records += self._read(shard_id, iterator)
        if None in self._iterators.values():
            self._follow()
        return _as_json(records)

    def _read(self, shard_id: str, iterator: str) -> list[Record]:
        try:
            response = self._client.get_records(ShardIterator=iterator)
        except self._client.exceptions.ExpiredIteratorException:
            # Iterators expire after 15 minutes without a read, for example while the computer sleeps.
            response = self._client.get_records(ShardIterator=self._iterator(shard_id))
        self._iterators[shard_id] = response.get("NextShardIterator")
        records: list[Record] = response["Records"]
        if records:
            self._last[shard_id] = records[-1]["dynamodb"]["SequenceNumber"]
        return records

    def _follow(self) -> None:
        """Begin to read the shards whose parents have ended."""
        shards = self._shards()
        for shard in shards:
            parent = self._iterators.get(shard.get("ParentShardId", ""))
            if shard["ShardId"] not in self._iterators and parent is None:
                self._iterators[shard["ShardId"]] = self._iterator(shard["ShardId"])

    def _iterator(self, shard_id: str) -> str:
        """Return an iterator that begins after the last record read, or at the shard's beginning."""
        if shard_id in self._last:
            with suppress(self._client.exceptions.TrimmedDataAccessException):  # the computer slept for a day
                return self._start(
                    shard_id, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=self._last[shard_id]
                )
        return self._start(shard_id, ShardIteratorType="TRIM_HORIZON")

    def _start(self, shard_id: str, **position: str) -> str:
        return str(self._client.get_shard_iterator(StreamArn=self._arn, ShardId=shard_id, **position)["ShardIterator"])

    def _shards(self) -> list[dict[str, Any]]:
        shards: list[dict[str, Any]] = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        return shards


def _as_json(records: list[Record]) -> list[Record]:
    plain: list[Record] = json.loads(json.dumps(records, default=_plain))
    return plain


def _plain(value: Any) -> Any:
    """Return bytes as base64 and times as seconds, as in the events of Lambda."""
    if isinstance(value, datetime):
        return value.timestamp()
    return base64.b64encode(value).decode()
