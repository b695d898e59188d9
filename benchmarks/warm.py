"""Warm handlers beside bare ones: event in, answer out, DynamoDB answered by a canned HTTP response.

A bare handler makes the same AWS calls with boto3 and `json`: no key, no rules, no errors, no log. Both sides take turns
in one process; a figure is the ratio of their medians.
"""

import base64
import contextlib
import importlib
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import boto3
import botocore.httpsession
from botocore.awsrequest import AWSResponse

from local import database, template
from tests.client import Client

RUNS = 15
CALLS = 40
_TEXT = "A message of an ordinary length says something in two or three sentences. " * 12

Event = dict[str, Any]
Handler = Callable[[Event], Any]


def main() -> None:
    """Print, for each operation, both medians in milliseconds and their ratio."""
    rows = measure()
    sys.stdout.write("| operation | bare, ms | ours, ms | ratio |\n|---|---|---|---|\n")
    for name, (bare, ours) in rows.items():
        sys.stdout.write(f"| {name} | {bare:.2f} | {ours:.2f} | {ours / bare:.2f} |\n")


def measure() -> dict[str, tuple[float, float]]:
    """Return the medians of a bare and of our handler, in milliseconds, by operation."""
    with database.in_memory(template.load()):
        client = Client(trusted=True)
        thread = client.thread(metadata={"user_id": "u"})
        messages = [client.message(thread, _TEXT[:900]) for _ in range(101)]
        events = {
            "create_message": client.event("create_message", thread, body={"role": "user", "content": _TEXT[:900]}),
            "retrieve_message": client.event("retrieve_message", thread, messages[0]["id"]),
            "list_messages, 20": client.event("list_messages", thread, query={"limit": 20}),
            "list_messages, 100": client.event("list_messages", thread, query={"limit": 100}),
            "modify_message": client.event(
                "modify_message", thread, messages[0]["id"], body={"metadata": {"a": "b"}}
            ),
            "delete_message": client.event("delete_message", thread, messages[0]["id"]),
            "create_thread": client.event("create_thread", body={"metadata": {"user_id": "u"}}),
            "retrieve_thread": client.event("retrieve_thread", thread),
        }
        for event in events.values():
            event["headers"] |= {"accept-encoding": "identity"}
        bare = Bare(f"{client.project}#{thread}")
        canned = {name: _recorded(name, event, bare) for name, event in events.items()}
    return {name: _compare(name, event, canned[name], bare) for name, event in events.items()}


class Bare:
    """What a handler costs that only calls AWS."""

    def __init__(self, partition: str) -> None:
        self.client = boto3.client("dynamodb")
        self.partition = partition

    def __call__(self, name: str, event: Event) -> Any:
        body = json.loads(event.get("body", "{}"))
        found = getattr(self, name.partition(",")[0])(event, body)
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(found)}

    def key(self, sort: str) -> dict[str, Any]:
        return {"threadId": {"S": self.partition}, "messageId": {"S": sort}}

    def create_message(self, _: Event, body: Any) -> Any:
        item = {
            **self.key("msg_01ARZ3NDEKTSV4RRFFQ69G5FB0"),
            "v": {"N": "1"},
            "version": {"N": "1"},
            "size": {"N": "1000"},
            "role": {"S": body["role"]},
            "content": {"S": body["content"]},
        }
        update = {
            "TableName": "t",
            "Key": self.key("head"),
            "ConditionExpression": "#state = :open AND lastUlid < :ulid",
            "UpdateExpression": "SET lastUlid = :ulid",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":open": {"S": "open"}, ":ulid": {"S": "01ARZ3NDEKTSV4RRFFQ69G5FB0"}},
        }
        self.client.transact_write_items(
            TransactItems=[{"Update": update}, {"Put": {"TableName": "t", "Item": item}}]
        )
        return _plain(item)

    def retrieve_message(self, event: Event, _: Any) -> Any:
        keys = [self.key("head"), self.key(event["pathParameters"]["messageId"])]
        answer = self.client.batch_get_item(RequestItems={"t": {"Keys": keys, "ConsistentRead": True}})
        (items,) = answer["Responses"].values()
        return _plain(items[-1])

    def list_messages(self, _: Event, __: Any) -> Any:
        self.client.get_item(TableName="t", Key=self.key("head"), ConsistentRead=True)
        answer = self.client.query(
            TableName="t",
            KeyConditionExpression="threadId = :partition AND begins_with(messageId, :prefix)",
            ExpressionAttributeValues={":partition": {"S": self.partition}, ":prefix": {"S": "msg_"}},
            ScanIndexForward=False,
            Limit=100,
            ConsistentRead=True,
        )
        return {"object": "list", "data": [_plain(item) for item in answer["Items"]]}

    def modify_message(self, event: Event, body: Any) -> Any:
        self.client.get_item(TableName="t", Key=self.key("head"), ConsistentRead=True)
        answer = self.client.update_item(
            TableName="t",
            Key=self.key(event["pathParameters"]["messageId"]),
            ConditionExpression="attribute_exists(threadId)",
            UpdateExpression="SET metadata = :metadata",
            ExpressionAttributeValues={":metadata": {"S": json.dumps(body["metadata"])}},
            ReturnValues="ALL_NEW",
        )
        return _plain(answer["Attributes"])

    def delete_message(self, event: Event, _: Any) -> Any:
        keys = [self.key("head"), self.key(event["pathParameters"]["messageId"])]
        self.client.batch_get_item(RequestItems={"t": {"Keys": keys, "ConsistentRead": True}})
        self.client.delete_item(TableName="t", Key=keys[1], ConditionExpression="attribute_exists(threadId)")
        return {"deleted": True}

    def create_thread(self, _: Event, body: Any) -> Any:
        sorts = ("head", "thread", "entry", "index")
        item = {"metadata": {"S": json.dumps(body["metadata"])}}
        self.client.transact_write_items(
            TransactItems=[{"Put": {"TableName": "t", "Item": self.key(sort) | item}} for sort in sorts]
        )
        return _plain(item)

    def retrieve_thread(self, _: Event, __: Any) -> Any:
        keys = [self.key("head"), self.key("thread")]
        answer = self.client.batch_get_item(RequestItems={"t": {"Keys": keys, "ConsistentRead": True}})
        (items,) = answer["Responses"].values()
        return _plain(items[-1])


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) for name, attribute in item.items() for value in attribute.values()}


def _recorded(name: str, event: Event, bare: Bare) -> dict[str, bytes]:
    """Run our handler once on moto; return what DynamoDB answered, by operation."""
    answers: dict[str, bytes] = {}
    table = importlib.import_module("shared.store.table")

    def record(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        kept = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
        answers[model.name] = json.dumps(kept, default=lambda data: base64.b64encode(data).decode()).encode()

    events = table._client.meta.events
    events.register("after-call.dynamodb", record)
    try:
        assert _ours(name)(event)["statusCode"] == 200
    finally:
        events.unregister("after-call.dynamodb", record)
    return answers


def _ours(name: str) -> Handler:
    handler = importlib.import_module(f"functions.{name.partition(',')[0]}").handler
    return lambda event: handler(event, None)


def _compare(name: str, event: Event, canned: dict[str, bytes], bare: Bare) -> tuple[float, float]:
    ours = _ours(name)
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    with _answering(canned), contextlib.redirect_stdout(io.StringIO()):
        for _ in range(RUNS):
            times["bare"].append(_milliseconds(lambda: bare(name, event)))
            times["ours"].append(_milliseconds(lambda: ours(event)))
    return statistics.median(times["bare"]), statistics.median(times["ours"])


@contextlib.contextmanager
def _answering(canned: dict[str, bytes]) -> Iterator[None]:
    def send(_: object, request: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
        raw = mock.Mock()
        raw.stream = lambda **_: iter([canned[operation]])
        return AWSResponse(request.url, 200, {"content-type": "application/x-amz-json-1.0"}, raw)

    with mock.patch.object(botocore.httpsession.URLLib3Session, "send", send):
        yield


def _milliseconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - started) * 1000 / CALLS


if __name__ == "__main__":
    main()
