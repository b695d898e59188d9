"""Chainlit's DynamoDB data layer: a message is an item, in the order of random ids; a thread is opened as a whole."""

import asyncio
import datetime as dt
import importlib
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from benchmarks.figures import TEXT
from benchmarks.peer_workers import worker


def main() -> None:
    """Serve the operations; a thread is named by its size."""
    # There is no session of a browser here, in which it would wait for the first message of the user.
    importlib.import_module("chainlit.data.utils").context = SimpleNamespace(session=None)  # type: ignore[attr-defined]
    calls: list[tuple[float, float]] = []
    aws = worker.session(calls)
    worker.create_table(aws, "chainlit", "PK", "SK")
    layer = importlib.import_module("chainlit.data.dynamodb").DynamoDBDataLayer("chainlit", aws.client("dynamodb"))
    loop = asyncio.new_event_loop()

    def append(size: int, name: str = "") -> None:
        now = dt.datetime.now(dt.UTC).isoformat()
        step = {"id": name or str(uuid4()), "threadId": str(size), "type": "user_message", "name": "user"}
        loop.run_until_complete(layer.create_step({**step, "output": TEXT, "createdAt": now}))

    def steps(size: int) -> list[Any]:
        found: list[Any] = loop.run_until_complete(layer.get_thread(str(size)))["steps"]
        return found

    def seed(size: int) -> None:
        loop.run_until_complete(layer.update_thread(str(size), name="a thread"))
        for number in range(size):
            append(size, f"{number:06}" if number == size // 2 else "")

    operations = {
        "seed": seed,
        "append": append,
        "last": lambda size: steps(size)[-20:],
        "open": lambda size: next(found for found in steps(size) if found["id"] == f"{size // 2:06}"),
    }
    worker.serve(operations, calls)


if __name__ == "__main__":
    main()
