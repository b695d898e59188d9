"""Waits until DynamoDB Local has written a transaction. It responds before that, and a kill -9 would lose the write.

DynamoDB Local processes requests one after the other, so its response to a later read proves that the write is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import boto3
from botocore.config import Config
from botocore.handlers import BUILTIN_HANDLERS

_NOTHING = {"threadId": {"S": "-"}, "messageId": {"S": "-"}}
# The time limits of the functions' own calls. The functions see an error as a lost response.
_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1}, max_pool_connections=32)


@contextmanager
def awaited(table: str, url: str) -> Iterator[None]:
    """Make each transaction wait until the engine at the URL has written it.

    This applies to every client that is made within the context.
    """
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
