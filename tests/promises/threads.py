"""Threads for the promises: one that has a bit of everything, and what the table still holds of one."""

import random
import time
from collections.abc import Iterator
from typing import Any

from tests.support.client import Client
from tests.support.expected import no_thread
from tests.support.filled import RUN, USER
from tools.local.gateway import MAX_ANSWER


def incompressible(seed: int, length: int = 160_000) -> str:
    """Return a text of four-byte characters that needs several parts however it is compressed."""
    return "".join(map(chr, random.Random(seed).choices(range(0x10000, 0x2FFFF), k=length)))


def full(client: Client, large: str) -> str:
    """Create a thread with a bit of everything that its partition may hold; the client's key is a trusted one."""
    assert client.trusted
    thread_id = client.thread(metadata={"user_id": USER}, messages=[{"role": "user", "content": "first"}])
    client.message(thread_id, "of a run", role="assistant", run_id="run_1")
    client.message(thread_id, large)
    once = {"idempotency-key": "key"}
    client.create("create_message", thread_id, body={"role": "user", "content": "once"}, headers=once)
    return thread_id


def remains(client: Client, thread_id: str) -> list[str]:
    """Return the sort keys of all that the table holds of a thread: in its partition, and in the lists."""
    from shared.store import keys, table

    table.set_deadline(60)
    own = [item["messageId"]["S"] for item in table.query(keys.thread_partition(client.project, thread_id), "!", "~")]
    lists = [*keys.threads_partitions(client.project, 4), keys.indexed_partition(client.project, "user_id", USER)]
    ulid = thread_id.removeprefix(keys.THREAD_PREFIX)
    return own + [found["threadId"]["S"] for partition in lists for found in table.query(partition, ulid, ulid)]


def age(client: Client, thread_id: str, seconds: int) -> None:
    """Let a thread's last activity, or its deletion, lie `seconds` back."""
    from shared.store import keys, table

    table.set_deadline(60)
    table.update(
        keys.key(keys.thread_partition(client.project, thread_id), keys.HEAD),
        UpdateExpression="SET activeAt = :then",
        ExpressionAttributeValues={":then": {"N": str(int(time.time()) - seconds)}},
    )


def listed(client: Client, **query: Any) -> list[str]:
    """Return the ids of the threads that a list shows, all pages of it; each page but the last must say so."""
    return [thread["id"] for page in pages(client, "list_threads", **query) for thread in page]


def messages(client: Client, thread_id: str) -> list[dict[str, Any]]:
    """Return all messages of a thread, oldest first, page by page."""
    found = pages(client, "list_messages", thread_id, order="asc", limit=100)
    return [message for page in found for message in page]


def pages(client: Client, function: str, *ids: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Yield what each page of a list holds; none is too large, and each but the last must say so."""
    after: dict[str, str] = {}
    while True:
        answer = client.call(function, *ids, query=query | after)
        assert answer.status == 200, answer.text
        assert answer.size <= MAX_ANSWER
        page = answer.body
        assert page["data"] or not page["has_more"]
        yield page["data"]
        if not page["has_more"]:
            return
        after = {"after": page["data"][-1]["id"]}


def assert_gone(client: Client, thread_id: str, message_id: str) -> None:
    """Assert that a thread with a message, and one created with an Idempotency-Key, is a 404 to every call."""
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
