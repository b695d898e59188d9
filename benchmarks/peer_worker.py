"""`python -m benchmarks.peer_worker NAME SIZE`: measures a peer's operations in the peer's own environment.

It prints JSON: the milliseconds, calls, read and write units of each operation in a thread of this size.
"""

import asyncio
import datetime as dt
import importlib
import json
import os
import statistics
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3

from benchmarks.figures import SAMPLES, TEXT, milliseconds
from tests.support.capacity import recorded, units

# Two operations on a thread that exists: append a message, and read the last 20.
Operations = tuple[Callable[[], object], Callable[[], object]]


def ours(_: Any, _table: str, size: int) -> Operations:
    """Our handlers, on their own table."""
    from tests.support.client import Client
    from tests.support.filled import fill

    client = Client()
    thread = fill(client, size, TEXT, age_seconds=3_600).id
    return lambda: client.message(thread, TEXT), lambda: client.page(thread, limit=20)


def langchain(aws: Any, table: str, size: int) -> Operations:
    """langchain-community's DynamoDBChatMessageHistory: a thread is one item with a list of all its messages."""
    history = importlib.import_module("langchain_community.chat_message_histories").DynamoDBChatMessageHistory
    message = importlib.import_module("langchain_core.messages").HumanMessage
    thread = history(table, "thread", primary_key_name="PK", key={"PK": "a", "SK": "b"}, boto3_session=aws)
    thread.add_messages([message(TEXT)] * size)
    return lambda: thread.add_messages([message(TEXT)]), lambda: thread.messages[-20:]


def chainlit(aws: Any, table: str, size: int) -> Operations:
    """Chainlit's DynamoDB data layer. Each message is an item; the items are in the order of random ids.

    Chainlit reads a thread as a whole.
    """
    # With a browser's session, Chainlit would wait for the user's first message. Here is no session.
    importlib.import_module("chainlit.data.utils").context = SimpleNamespace(session=None)  # type: ignore[attr-defined]
    layer = importlib.import_module("chainlit.data.dynamodb").DynamoDBDataLayer(table, aws.client("dynamodb"))
    run = asyncio.new_event_loop().run_until_complete

    def append() -> None:
        now = dt.datetime.now(dt.UTC).isoformat()
        step = {"id": str(uuid4()), "threadId": "thread", "type": "user_message", "name": "user"}
        run(layer.create_step({**step, "output": TEXT, "createdAt": now}))

    run(layer.update_thread("thread", name="a thread"))
    for _ in range(size):
        append()
    return append, lambda: run(layer.get_thread("thread"))["steps"][-20:]


def langgraph(aws: Any, table: str, size: int) -> Operations:
    """langgraph-checkpoint-aws's DynamoDB saver: each step of a graph stores the whole state. Here it has one node."""
    graphs = importlib.import_module("langgraph.graph")
    message = importlib.import_module("langchain_core.messages").HumanMessage
    saver = importlib.import_module("langgraph_checkpoint_aws").DynamoDBSaver
    builder = graphs.StateGraph(graphs.MessagesState)
    builder.add_node("node", lambda _: {})
    builder.add_edge(graphs.START, "node")
    url = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
    graph = builder.compile(checkpointer=saver(table, session=aws, endpoint_url=url))
    thread = {"configurable": {"thread_id": "thread"}}

    def append(times: int = 1) -> None:
        graph.invoke({"messages": [message(TEXT) for _ in range(times)]}, thread)

    append(size)
    return append, lambda: graph.get_state(thread).values["messages"][-20:]


def _create_table(aws: Any, name: str) -> None:
    keys = {"PK": "HASH", "SK": "RANGE"}
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


def main(name: str, size: str) -> None:
    """Measure first the calls of each operation, then its time."""
    make = {"ours": ours, "langchain": langchain, "chainlit": chainlit, "langgraph": langgraph}[name]
    aws, table = boto3.Session(), f"{name}-{size}"
    _create_table(aws, table)
    found = []
    for work in make(aws, table, int(size)):
        with recorded() as calls:
            work()
        found.append((statistics.median(milliseconds(work) for _ in range(SAMPLES)), len(calls), *units(calls)))
    sys.stdout.write(f"\n{json.dumps(found)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
