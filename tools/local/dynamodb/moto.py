"""The table, the queues and the event bus in this process, with moto."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.core.model_instances import model_data
from moto.dynamodb.responses import DynamoHandler

from tools import environment
from tools.local.dynamodb import database
from tools.local.template import Template

T = TypeVar("T")


@contextmanager
def in_memory(template: Template, *, stream: bool = False) -> Iterator[None]:
    """Create the resources in memory and set the environment that leads there.

    moto's transactions are not atomic under threads: use it from one thread at a time. With `stream`, the table has
    its stream; read from it all the time, because moto copies its content for each transaction.
    """
    environment.lead_to_local(template)
    described = {name: value for name, value in template.table.items() if stream or name != "StreamSpecification"}
    # A list makes two calls at once, and a read of a missing item adds to a dictionary while the other call iterates.
    one_at_a_time = patch.object(DynamoHandler, "call_action", _one_at_a_time(DynamoHandler.call_action))
    with mock_aws(), one_at_a_time:
        database.create_table(replace(template, table=described))
        # moto keeps each object it ever made, including those copies: gigabytes after 1,000 creates.
        models: dict[str, Any] = dict(model_data["dynamodb"])
        for model in models.values():
            model.instances_tracked = deque(maxlen=0)
        sqs = boto3.client("sqs")
        for name in template.queues:
            sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if name.endswith(".fifo") else {})
        events = boto3.client("events")
        for name in template.buses:
            events.create_event_bus(Name=name)
        yield


def _one_at_a_time(call: Callable[..., T]) -> Callable[..., T]:
    lock = threading.Lock()

    def locked(*arguments: Any) -> T:
        with lock:
            return call(*arguments)

    return locked
