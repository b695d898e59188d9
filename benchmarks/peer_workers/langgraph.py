"""langgraph-checkpoint-aws's DynamoDB saver: each step of a graph stores the whole state, all messages in it."""

import importlib
import os
from typing import Any

from benchmarks.figures import TEXT
from benchmarks.peer_workers import worker


def main() -> None:
    """Serve the operations of a graph whose one node does nothing; a thread is named by its size."""
    graphs = importlib.import_module("langgraph.graph")
    message = importlib.import_module("langchain_core.messages").HumanMessage
    saver = importlib.import_module("langgraph_checkpoint_aws").DynamoDBSaver
    calls: list[tuple[float, float]] = []
    aws = worker.session(calls)
    worker.create_table(aws, "langgraph", "PK", "SK")
    builder = graphs.StateGraph(graphs.MessagesState)
    builder.add_node("node", lambda _: {})
    builder.add_edge(graphs.START, "node")
    url = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
    graph = builder.compile(checkpointer=saver("langgraph", session=aws, endpoint_url=url))

    def config(size: int) -> dict[str, Any]:
        return {"configurable": {"thread_id": str(size)}}

    def append(size: int, *names: str) -> None:
        graph.invoke({"messages": [message(TEXT, id=name or None) for name in names or ("",)]}, config(size))

    def messages(size: int) -> list[Any]:
        found: list[Any] = graph.get_state(config(size)).values["messages"]
        return found

    operations = {
        "seed": lambda size: append(size, *map(str, range(size))),
        "append": append,
        "last": lambda size: messages(size)[-20:],
        "open": lambda size: next(found for found in messages(size) if found.id == str(size // 2)),
    }
    worker.serve(operations, calls)


if __name__ == "__main__":
    main()
