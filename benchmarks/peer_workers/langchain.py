"""langchain-community's DynamoDBChatMessageHistory: a thread is one item with a list of all its messages."""

import importlib
from typing import Any

from benchmarks.figures import TEXT
from benchmarks.peer_workers import worker


def main() -> None:
    """Serve the operations; a thread is named by its size."""
    history = importlib.import_module("langchain_community.chat_message_histories").DynamoDBChatMessageHistory
    message = importlib.import_module("langchain_core.messages").HumanMessage
    calls: list[tuple[float, float]] = []
    aws = worker.session(calls)
    worker.create_table(aws, "langchain", "SessionId")

    def thread(size: int) -> Any:
        return history("langchain", str(size), boto3_session=aws)

    threads: dict[int, Any] = {}

    def seed(size: int) -> None:
        threads[size] = thread(size)
        threads[size].clear()
        threads[size].add_messages([message(TEXT, id=str(number)) for number in range(size)])

    operations = {
        "seed": seed,
        "append": lambda size: threads[size].add_messages([message(TEXT)]),
        "last": lambda size: threads[size].messages[-20:],
        "open": lambda size: next(found for found in threads[size].messages if found.id == str(size // 2)),
    }
    worker.serve(operations, calls)


if __name__ == "__main__":
    main()
