"""The table, the queues and the event bus in this process, with moto."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import boto3

from tools import environment
from tools.local.dynamodb import database, moto_engine
from tools.local.template import Template


@contextmanager
def in_memory(template: Template, *, stream: bool = False) -> Iterator[None]:
    """Create the resources in memory and set the environment that leads to them.

    With `stream`, the table has its stream. Read the stream continuously, because moto copies its records for each
    transaction.
    """
    environment.lead_to_local(template)
    described = {name: value for name, value in template.table.items() if stream or name != "StreamSpecification"}
    with moto_engine.running():
        database.create_table(replace(template, table=described))
        moto_engine.forget_copies()
        sqs = boto3.client("sqs")
        for name in template.queues:
            sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if name.endswith(".fifo") else {})
        events = boto3.client("events")
        for name in template.buses:
            events.create_event_bus(Name=name)
        yield
