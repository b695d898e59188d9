"""Every accepted body is read back equal, up to the largest ones, whatever limits DynamoDB and Lambda have."""

import json
import random
import string
from functools import partial
from itertools import chain, cycle
from typing import Any

import pytest

from tests.promises.threads import incompressible, pages
from tests.support.client import Client
from tools.local.gateway import MAX_ANSWER

LENGTH = 256_000
TEXTS = {
    "ASCII": "The quick brown fox. " * 12_190 + "jumped ove",
    "CJK": "漢字仮名交じり文" * 32_000,
    "emoji": "\U0001f9f5\U0001f680" * 128_000,
    "quotes": '"' * LENGTH,
    "backslashes": "\\" * LENGTH,
    "newlines": "\n" * LENGTH,
    "NUL": "\x00" * LENGTH,
    "random ASCII": "".join(random.Random(1).choices(string.printable, k=LENGTH)),
    "random four-byte": incompressible(seed=2, length=LENGTH),
    "random three-byte": "".join(map(chr, random.Random(3).choices(range(0x800, 0xD800), k=LENGTH))),
}
METADATA = {
    "four-byte": {chr(0x1F600 + n) * 64: "\U0001f9f5" * 512 for n in range(16)},
    "control": {chr(0x01 + n) * 64: "\x00" * 512 for n in range(16)},
    "quotes": {f"{n:02}{chr(34) * 62}": '"' * 512 for n in range(16)},
}


def _stored(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"value": text, "annotations": []}}]


@pytest.mark.parametrize(("name", "accepted"), list(zip(TEXTS, cycle(("identity", "gzip")), strict=False)))
def test_the_longest_text_comes_back_equal(client: Client, name: str, accepted: str) -> None:
    text = TEXTS[name]
    assert len(text) == LENGTH
    metadata = METADATA["control"]
    thread_id = client.thread()
    created = client.message(thread_id, text, metadata=metadata)
    assert (created["content"], created["metadata"]) == (_stored(text), metadata)
    headers = {"accept-encoding": accepted}
    retrieved = client.call("retrieve_message", thread_id, created["id"], headers=headers)
    listed = client.call("list_messages", thread_id, headers=headers)
    modified = client.call("modify_message", thread_id, created["id"], body={"metadata": {}}, headers=headers)
    assert retrieved.body == created
    assert (listed.body["data"], listed.body["has_more"]) == ([created], False)
    assert modified.body == created | {"metadata": {}}
    assert max(answer.size for answer in (retrieved, listed, modified)) <= MAX_ANSWER
    encodings = {answer.headers.get("content-encoding", "identity") for answer in (retrieved, listed, modified)}
    assert encodings == {accepted}


@pytest.mark.parametrize("name", TEXTS)
def test_one_character_more_is_refused(client: Client, name: str) -> None:
    thread_id = client.thread()
    text = TEXTS[name] + "x"
    answer = client.call("create_message", thread_id, body={"role": "user", "content": text})
    assert answer.error == (400, "content", "string_above_max_length")
    parts = [{"type": "text", "text": text[:200_000]}, {"type": "text", "text": text[200_000:]}]
    answer = client.call("create_message", thread_id, body={"role": "user", "content": parts})
    assert answer.error == (400, "content", "string_above_max_length")
    assert client.page(thread_id)["data"] == []


def test_the_longest_text_in_many_parts_with_all_else_comes_back_equal(client: Client) -> None:
    texts = [incompressible(seed, LENGTH // 64) for seed in range(64)]
    attachments = [
        {"file_id": "\x01" * 128, "tools": [{"type": "code_interpreter"}, {"type": "file_search"}]} for _ in range(20)
    ]
    thread_id = client.thread()
    created = client.message(
        thread_id,
        [{"type": "text", "text": text} for text in texts],
        attachments=attachments,
        metadata=METADATA["four-byte"],
    )
    assert [part["text"]["value"] for part in created["content"]] == texts
    assert created["attachments"] == attachments
    assert client.create("retrieve_message", thread_id, created["id"]) == created
    assert client.page(thread_id)["data"] == [created]


@pytest.mark.parametrize(("order", "accepted"), [("asc", "identity"), ("desc", "gzip")])
def test_a_page_of_the_largest_messages_arrives_as_short_pages_that_hold_all(
    order: str, accepted: str, hundred_largest: tuple[Client, str, list[dict[str, Any]]]
) -> None:
    client, thread_id, messages = hundred_largest
    call = partial(client.call, "list_messages", thread_id, headers={"accept-encoding": accepted})
    found = [*pages(call, order=order, limit=100)]
    assert all(found)
    assert [*chain(*found)] == (messages if order == "asc" else messages[::-1])
    assert 17 < len(found) < 50


@pytest.fixture(scope="module")
def hundred_largest() -> tuple[Client, str, list[dict[str, Any]]]:
    """Return a thread of 100 messages of several kinds, each nearly of its kind's maximal size."""
    kinds = [TEXTS[name] for name in ("quotes", "backslashes", "newlines", "NUL", "CJK")]
    kinds += [TEXTS["random four-byte"], '"\\\n' * 85_333]
    metadata = [*METADATA.values(), {}]
    client = Client()
    thread_id = client.thread()
    messages = [
        client.message(thread_id, kinds[number % len(kinds)], metadata=metadata[number % len(metadata)])
        for number in range(100)
    ]
    return client, thread_id, messages


@pytest.mark.parametrize("name", METADATA)
def test_full_metadata_and_tool_resources_come_back_equal(client: Client, name: str) -> None:
    resources = {"file_search": {"vector_stores": [{"x": "\U0001f9f5" * 4_000}]}}
    assert 15_000 < len(json.dumps(resources, ensure_ascii=False).encode()) <= 16_384
    body = {"metadata": METADATA[name], "tool_resources": resources}
    threads = [client.create("create_thread", body=body) for _ in range(100)][::-1]
    assert threads[0]["metadata"] == METADATA[name]
    assert threads[0]["tool_resources"] == resources
    modified = client.create("modify_thread", threads[0]["id"], body=body)
    assert modified == client.create("retrieve_thread", threads[0]["id"]) == threads[0]
    found = [*pages(partial(client.call, "list_threads"), limit=100)]
    assert all(found)
    assert [*chain(*found)] == threads
    assert 1 < len(found) < 6
