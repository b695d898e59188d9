"""Transactions of DynamoDB Local: it answers one before it has written it, so that a kill -9 takes what was answered.

It does one thing after the other, so whatever it is asked next is answered when the transaction has been written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import boto3
from botocore.config import Config
from botocore.handlers import BUILTIN_HANDLERS

_NOTHING = {"threadId": {"S": "-"}, "messageId": {"S": "-"}}
# As long as a call of the functions takes. An error is raised to them: they take it for a lost answer.
_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1}, max_pool_connections=32)


@contextmanager
def awaited(table: str, url: str) -> Iterator[None]:
    """Let each transaction of every client that is made meanwhile wait until the engine at the URL has written it."""
    client: Any = boto3.client("dynamodb", endpoint_url=url, config=_CONFIG)

    def wait(http_response: Any, **_: Any) -> None:
        if http_response.status_code == HTTPStatus.OK:
            client.get_item(TableName=table, Key=_NOTHING, ConsistentRead=True)

    handler = ("after-call.dynamodb.TransactWriteItems", wait)
    BUILTIN_HANDLERS.append(handler)
    try:
        yield
    finally:
        BUILTIN_HANDLERS.remove(handler)
