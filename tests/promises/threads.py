"""Threads for the tests of promises: creates a thread with all kinds of items, and finds a thread's remaining items."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from tests.support.client import Answer, Client
from tests.support.expected import no_thread
from tests.support.filled import RUN, USER
from tools.local.gateway import MAX_ANSWER


def incompressible(seed: int, length: int = 160_000) -> str:
    """Return a text of four-byte characters that needs several parts even when compressed."""
    return "".join(map(chr, random.Random(seed).choices(range(0x10000, 0x2FFFF), k=length)))


def full(client: Client, large: str) -> str:
    """Create a thread with all kinds of items that its partition may have. The client's key must be trusted."""
    assert client.trusted
    thread_id = client.thread(metadata={"user_id": USER}, messages=[{"role": "user", "content": "first"}])
    client.message(thread_id, "of a run", role="assistant", run_id="run_1")
    client.message(thread_id, large)
    once = {"idempotency-key": "key"}
    client.create("create_message", thread_id, body={"role": "user", "content": "once"}, headers=once)
    return thread_id


def remains(client: Client, thread_id: str) -> list[str]:
    """Return the sort keys of all items of a thread: in its partition, and in the lists."""
    from shared.store import keys, table

    table.set_deadline(60)
    own = [item["messageId"]["S"] for item in table.query(keys.thread_partition(client.project, thread_id), "!", "~")]
    lists = [*keys.threads_partitions(client.project, 4), keys.indexed_partition(client.project, "user_id", USER)]
    ulid = thread_id.removeprefix(keys.THREAD_PREFIX)
    return own + [found["threadId"]["S"] for partition in lists for found in table.query(partition, ulid, ulid)]


def age(client: Client, thread_id: str, seconds: int) -> None:
    """Move a thread's last activity, or its deletion, `seconds` into the past."""
    from shared.store import keys, table

    table.set_deadline(60)
    table.update(
        keys.key(keys.thread_partition(client.project, thread_id), keys.HEAD),
        UpdateExpression="SET activeAt = :then",
        ExpressionAttributeValues={":then": {"N": str(int(time.time()) - seconds)}},
    )


def pages(call: Callable[..., Answer], **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Yield a list page by page, each as large as Lambda may answer. Each page but the last must say so."""
    while True:
        answer = call(query=query)
        assert (answer.status, answer.size <= MAX_ANSWER) == (200, True)
        page = answer.body
        assert page["data"] or not page["has_more"]
        yield page["data"]
        if not page["has_more"]:
            return
        query["after"] = page["last_id"]


def threads(client: Client, **query: Any) -> list[dict[str, Any]]:
    """Return the threads that a list shows, all pages of it."""
    return [*chain(*pages(partial(client.call, "list_threads"), **query))]


def listed(client: Client, **query: Any) -> list[str]:
    """Return the ids of the threads that a list shows, all pages of it."""
    return [thread["id"] for thread in threads(client, **query)]


def messages(client: Client, thread_id: str) -> list[dict[str, Any]]:
    """Return all messages of a thread, oldest first."""
    return [*chain(*pages(partial(client.call, "list_messages", thread_id), order="asc", limit=100))]


def texts(client: Client, thread_id: str) -> list[str]:
    """Return the texts of all messages of a thread, oldest first."""
    return [message["content"][0]["text"]["value"] for message in messages(client, thread_id)]


def check_ends(in_order: Iterable[tuple[float, float]]) -> None:
    """Assert of creates, each by its beginning and end: one that began after another's end comes after that."""
    latest_beginning = 0.0
    for began, ended in in_order:
        latest_beginning = max(latest_beginning, began)
        assert latest_beginning < ended, "something that began after this was acknowledged stands before it"


def assert_gone(client: Client, thread_id: str, message_id: str) -> None:
    """Assert that a thread with a message, and one created with an Idempotency-Key, is a 404 for every call."""
    once = {"idempotency-key": "key"}
    answers = [
        *(client.call(function, thread_id, body={"metadata": {}}) for function in ("retrieve_thread", "modify_thread")),
        client.call("delete_thread", thread_id),
        client.call("create_message", thread_id, body={"role": "user", "content": "late"}),
        client.call("create_message", thread_id, body={"role": "user", "content": "once"}, headers=once),
        *(client.call("list_messages", thread_id, query=query) for query in ({}, {"run_id": RUN})),
        client.call("retrieve_message", thread_id, message_id),
        client.call("modify_message", thread_id, message_id, body={"metadata": {}}),
        client.call("delete_message", thread_id, message_id),
    ]
    assert [(answer.status, answer.body) for answer in answers] == [(404, no_thread(thread_id))] * len(answers)
    assert listed(client) == listed(client, **{"metadata[user_id]": USER}) == []
