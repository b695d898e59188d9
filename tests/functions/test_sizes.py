"""Data too large for one item, transaction, page or response is split, or refused with the contract's own 413."""

import random
from typing import Any

import pytest

from tests.support import expected, fault_injection, stored
from tests.support.client import Client, invoke
from tests.support.fault_injection import Fault

# A random text of these characters does not compress to half.
_IDEOGRAPHS = "".join(map(chr, range(0x4E00, 0x9FFF)))


def _content(seed: int, size: int) -> str:
    return "".join(random.Random(seed).choices(_IDEOGRAPHS, k=size))


def _parted(seed: int) -> str:
    return _content(seed, 240_000)


def test_a_message_whose_answer_could_not_be_sent_is_refused(trusted: Client) -> None:
    """Texts are limited to 256,000 characters. Other fields that a trusted key may write do not count."""
    thread_id = trusted.thread()
    path = {"type": "file_path", "start_index": 0, "end_index": 1, "file_path": {"file_id": "f"}}

    def body(size: int) -> dict[str, Any]:
        annotations = [path | {"text": "x" * size}]
        content = [{"type": "text", "text": {"value": "a", "annotations": annotations}}]
        return {"role": "assistant", "content": content}

    taken = trusted.call("create_message", thread_id, body=body(5_990_000))
    with fault_injection.inject() as attempts:
        refused = trusted.call("create_message", thread_id, body=body(6_000_000))

    assert taken.status == 200
    assert (refused.status, refused.body) == (413, expected.TOO_LARGE)
    assert attempts.operations == []


def test_a_message_that_no_transaction_can_hold_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import items

    thread_id = client.thread()
    for limit in ("_ANSWER_BYTES", "_STORED_BYTES"):
        with monkeypatch.context() as patch, fault_injection.inject() as attempts:
            patch.setattr(items, limit, 100)
            answers = [
                client.call("create_message", thread_id, body={"role": "user", "content": _content(1, 200)}),
                client.call("create_thread", body={"messages": [{"role": "user", "content": _content(1, 200)}]}),
            ]
        assert [(answer.status, answer.body) for answer in answers] == [(413, expected.TOO_LARGE)] * 2
        assert attempts.operations == []


def test_a_page_ends_where_an_answer_would_be_too_long(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import pages

    thread_id = client.thread()
    messages = [client.message(thread_id, _content(number, 1_000)) for number in range(5)]
    # Each message has 3 KB of content and 1 KB of other data.
    monkeypatch.setattr(pages, "PAGE_BYTES", 9_000)

    assert client.page(thread_id) == expected.page(messages[:2:-1], has_more=True)
    assert client.page(thread_id, after=messages[3]["id"]) == expected.page(messages[2:0:-1], has_more=True)
    assert client.page(thread_id, after=messages[1]["id"]) == expected.page(messages[:1])
    assert client.page(thread_id, order="asc") == expected.page(messages[:2], has_more=True)
    assert client.page(thread_id, before=messages[0]["id"]) == expected.page(messages[2:0:-1], has_more=True)


def test_a_page_of_a_run_ends_there_too(trusted: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import pages

    thread_id = trusted.thread()
    of_run = {"role": "assistant", "run_id": "r"}
    messages = [trusted.message(thread_id, _content(number, 1_000), **of_run) for number in range(3)]
    monkeypatch.setattr(pages, "PAGE_BYTES", 9_000)

    assert trusted.page(thread_id, run_id="r") == expected.page(messages[:0:-1], has_more=True)
    assert trusted.page(thread_id, run_id="r", after=messages[1]["id"]) == expected.page(messages[:1])


def test_a_list_of_threads_ends_there_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import thread_pages

    body = {"metadata": {"k": "é" * 500}}
    threads = [client.create("create_thread", body=body) for _ in range(3)]
    monkeypatch.setattr(thread_pages, "PAGE_BYTES", 5_500)

    page = client.create("list_threads")
    assert page == expected.page(threads[:0:-1], has_more=True)
    assert client.create("list_threads", query={"after": page["last_id"]}) == expected.page(threads[:1])


def test_of_a_runs_content_in_parts_modify_keeps_every_character(trusted: Client) -> None:
    thread_id = trusted.thread()
    message = trusted.message(thread_id, _parted(1), role="assistant", run_id="r")

    modified = trusted.create("modify_message", thread_id, message["id"], body={"metadata": {"a": "b"}})

    assert len(stored.sort_keys(f"{trusted.project}#{thread_id}", "part#")) == 2
    assert modified == message | {"metadata": {"a": "b"}}
    assert trusted.page(thread_id, run_id="r") == expected.page([modified])


def test_a_staged_create_that_fails_leaves_nothing_that_is_seen(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import threads

    monkeypatch.setattr(threads, "_WRITES_IN_ONE", 1)
    bodies = [expected.ROLE_USER, expected.ROLE_USER]

    with fault_injection.inject(Fault("BatchWriteItem", fault_injection.error("AccessDeniedException"))):
        answer = client.call("create_thread", body={"messages": bodies})

    assert (answer.status, answer.body) == (500, expected.OUR_FAULT)
    assert client.create("list_threads") == expected.page([])


def test_what_a_batch_left_unwritten_is_written_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import threads

    monkeypatch.setattr(threads, "_WRITES_IN_ONE", 1)
    left: list[Any] = []

    def leave(attempt: fault_injection.Attempt) -> fault_injection.Outcome:
        left.append(attempt.request["RequestItems"])
        return attempt.answer(200, {"UnprocessedItems": attempt.request["RequestItems"]})

    with fault_injection.inject(Fault("BatchWriteItem", leave)) as attempts:
        thread_id = client.thread(messages=[expected.ROLE_USER] * 30)

    batches = [len(*request["RequestItems"].values()) for name, request in attempts.log if name == "BatchWriteItem"]
    assert batches == [25, 25, 5]
    assert len(client.page(thread_id, limit=100)["data"]) == 30


def test_a_staged_create_that_was_taken_for_abandoned_is_a_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import threads

    monkeypatch.setattr(threads, "_WRITES_IN_ONE", 1)

    def bury() -> None:
        (ulid,) = stored.sort_keys(f"{client.project}#threads")
        stored.change(f"{client.project}#thread_{ulid}", "head", state={"S": "erasing"})

    with fault_injection.inject(Fault("BatchWriteItem", fault_injection.after(bury))):
        answer = client.call("create_thread", body={"messages": [expected.ROLE_USER] * 2})

    assert (answer.status, answer.body) == (503, expected.BUSY)
    assert client.create("list_threads") == expected.page([])


def test_a_refused_event_of_six_megabytes_is_answered(anybody: Client) -> None:
    event = anybody.event("create_message", "thread_1", body="x" * 6_000_000)

    assert invoke("create_message", event).status == 400
