"""`python -m benchmarks.peer_worker NAME`: runs a peer's operations in the peer's own environment, as stdin names them.

Each line of stdin is an operation, the size of a thread, which names the thread, and perhaps `recorded`; each is
answered with the milliseconds that it took and how it failed, or with its calls and their units when it is recorded.
"""

import asyncio
import datetime as dt
import importlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3

from benchmarks.figures import TEXT
from tests.support.capacity import Call, recorded

Operations = dict[str, Callable[[int], Any]]


def ours(_: Any) -> Operations:
    """Our handlers."""
    client = importlib.import_module("tests.support.client").Client()
    fill = importlib.import_module("tests.support.filled").fill

    @cache
    def thread(size: int) -> str:
        return str(fill(client, size, TEXT, age_seconds=3_600).id)

    return {
        "seed": thread,
        "append": lambda size: client.message(thread(size), TEXT),
        "last": lambda size: client.page(thread(size), limit=20),
    }


def langchain(aws: Any) -> Operations:
    """langchain-community's DynamoDBChatMessageHistory: a thread is one item with a list of all its messages."""
    history = importlib.import_module("langchain_community.chat_message_histories").DynamoDBChatMessageHistory
    message = importlib.import_module("langchain_core.messages").HumanMessage
    _create_table(aws, "langchain", "SessionId")

    @cache
    def thread(size: int) -> Any:
        return history("langchain", str(size), boto3_session=aws)

    return {
        "seed": lambda size: thread(size).add_messages([message(TEXT)] * size),
        "append": lambda size: thread(size).add_messages([message(TEXT)]),
        "last": lambda size: thread(size).messages[-20:],
    }


def chainlit(aws: Any) -> Operations:
    """Chainlit's DynamoDB data layer: a message is an item, in the order of random ids; a thread is opened whole."""
    # There is no session of a browser here, in which it would wait for the first message of the user.
    importlib.import_module("chainlit.data.utils").context = SimpleNamespace(session=None)  # type: ignore[attr-defined]
    _create_table(aws, "chainlit", "PK", "SK")
    layer = importlib.import_module("chainlit.data.dynamodb").DynamoDBDataLayer("chainlit", aws.client("dynamodb"))
    run = asyncio.new_event_loop().run_until_complete

    def append(size: int) -> None:
        now = dt.datetime.now(dt.UTC).isoformat()
        step = {"id": str(uuid4()), "threadId": str(size), "type": "user_message", "name": "user"}
        run(layer.create_step({**step, "output": TEXT, "createdAt": now}))

    def seed(size: int) -> None:
        run(layer.update_thread(str(size), name="a thread"))
        for _ in range(size):
            append(size)

    return {
        "seed": seed,
        "append": append,
        "last": lambda size: run(layer.get_thread(str(size)))["steps"][-20:],
    }


def langgraph(aws: Any) -> Operations:
    """langgraph-checkpoint-aws's DynamoDB saver: each step of a graph, here of one node, stores the whole state."""
    graphs = importlib.import_module("langgraph.graph")
    message = importlib.import_module("langchain_core.messages").HumanMessage
    saver = importlib.import_module("langgraph_checkpoint_aws").DynamoDBSaver
    _create_table(aws, "langgraph", "PK", "SK")
    builder = graphs.StateGraph(graphs.MessagesState)
    builder.add_node("node", lambda _: {})
    builder.add_edge(graphs.START, "node")
    url = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
    graph = builder.compile(checkpointer=saver("langgraph", session=aws, endpoint_url=url))

    def config(size: int) -> dict[str, Any]:
        return {"configurable": {"thread_id": str(size)}}

    def append(size: int, times: int = 1) -> None:
        graph.invoke({"messages": [message(TEXT) for _ in range(times)]}, config(size))

    return {
        "seed": lambda size: append(size, size),
        "append": append,
        "last": lambda size: graph.get_state(config(size)).values["messages"][-20:],
    }


def _create_table(aws: Any, name: str, *keys: str) -> None:
    """Create a table with a hash key and perhaps a range key, both texts."""
    kinds = dict(zip(keys, ("HASH", "RANGE"), strict=False))
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


def main(operations: Operations) -> None:
    """Run the operation that each line names until stdin ends."""
    logging.disable()  # what fails is told in the answer
    for line in sys.stdin:
        name, size, *how = line.split()
        error, calls = "", list[Call]()
        with recorded() if how else nullcontext(calls) as calls:
            started = time.perf_counter()
            try:
                operations[name](int(size))
            except Exception as raised:  # noqa: BLE001 - that it fails, and how, is what is measured
                error = f"{type(raised).__name__}: {raised}"
            milliseconds = (time.perf_counter() - started) * 1000
        reads, writes = sum(call.read_units for call in calls), sum(call.write_units for call in calls)
        found = {"ms": milliseconds, "calls": len(calls), "reads": reads, "writes": writes, "error": error}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    peer = {"ours": ours, "langchain": langchain, "chainlit": chainlit, "langgraph": langgraph}[sys.argv[1]]
    main(peer(boto3.Session()))
