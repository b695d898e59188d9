"""Imported threads and messages, whose ids this API did not create: every operation on them, and their events."""

import time
from typing import Any

import pytest

from tests.support import expected, stored, stream
from tests.support.client import Client
from tests.support.event_sources import Queue, asked, erase, queue_changes
from tests.support.expected import compact, no_message, no_thread
from tests.support.imported import CREATED, THREAD, brought, message, thread

_NATIVE = "msg_01HEBKXB88ZZZZZZZZZZZZZZZZ"
_NATIVE_CREATED = 1_699_049_549
_LETTERS = "wvFkKJrNzSDUhQpAsXbGtYcL"  # 24, as OpenAI's ids had


@pytest.fixture
def seven(client: Client) -> list[dict[str, Any]]:
    """Import a thread of seven messages. Their order in the file is not that of their times."""
    in_order = [
        message("msg_g", "0"),
        message("msg_a", "1"),
        message(f"msg_{_LETTERS}", "2", CREATED + 1),
        message("msg_b", "3", CREATED + 1, role="assistant", run_id="run_1", assistant_id="asst_1"),
        message(_NATIVE, "4", _NATIVE_CREATED),
        message("msg_-_", "5", _NATIVE_CREATED, role="assistant", run_id="run_1"),
        message("msg_c", "6", _NATIVE_CREATED + 1),
    ]
    brought(client, in_order[6], thread(), *in_order[2:6], *in_order[:2])
    return in_order


def numbers(client: Client, messages: list[dict[str, Any]], **query: Any) -> tuple[str, bool]:
    """Return the numbers of a page's messages, and has_more. Cursors are numbers too."""
    for name in ("after", "before"):
        if name in query:
            query[name] = messages[query[name]]["id"]
    answer = client.call("list_messages", THREAD, query=query)
    found = [message["id"] for message in answer.body["data"]]
    numbers = [number for one in found for number, own in enumerate(messages) if own["id"] == one]
    page = expected.page([messages[number] for number in numbers], has_more=answer.body["has_more"])
    assert (answer.status, answer.text) == (200, compact(page))
    return "".join(map(str, numbers)), answer.body["has_more"]


def test_messages_stand_in_the_order_of_their_times_and_then_of_their_lines(
    client: Client, seven: list[dict[str, Any]]
) -> None:
    assert numbers(client, seven, order="asc") == ("0123456", False)
    assert numbers(client, seven) == ("6543210", False)


def test_a_message_is_found_by_the_id_it_had(client: Client, seven: list[dict[str, Any]]) -> None:
    for one in seven:
        answer = client.call("retrieve_message", THREAD, one["id"])
        assert (answer.status, answer.text) == (200, compact(one))


def test_an_id_it_had_is_a_cursor_both_ways(client: Client, seven: list[dict[str, Any]]) -> None:
    for place in range(7):
        newer, older = "6543210"[: 6 - place], "6543210"[7 - place :]
        assert numbers(client, seven, after=place) == (older, False)
        assert numbers(client, seven, before=place) == (newer, False)
        assert numbers(client, seven, after=place, order="asc") == (newer[::-1], False)
        assert numbers(client, seven, before=place, order="asc") == (older[::-1], False)
        assert numbers(client, seven, after=place, before=place) == ("", False)
    assert numbers(client, seven, after=6, before=2, limit=2) == ("54", True)
    assert numbers(client, seven, before=0, limit=2) == ("21", True)
    assert numbers(client, seven, after=1, before=6, order="asc", limit=3) == ("234", True)


def test_a_run_lists_the_messages_it_had(client: Client, seven: list[dict[str, Any]]) -> None:
    assert numbers(client, seven, run_id="run_1", order="asc") == ("35", False)
    assert numbers(client, seven, run_id="run_1", after=5) == ("3", False)
    assert numbers(client, seven, run_id="run_1", before=2, limit=1) == ("3", True)


def test_an_id_goes_on_being_a_cursor_when_its_message_is_deleted(client: Client, seven: list[dict[str, Any]]) -> None:
    answer = client.call("delete_message", THREAD, "msg_b")

    deleted = {"id": "msg_b", "object": "thread.message.deleted", "deleted": True}
    assert (answer.status, answer.text) == (200, compact(deleted))
    gone = client.call("retrieve_message", THREAD, "msg_b")
    assert (gone.status, gone.body) == (404, no_message("msg_b"))
    again = client.call("delete_message", THREAD, "msg_b")
    assert (again.status, again.body) == (404, no_message("msg_b"))
    modified = client.call("modify_message", THREAD, "msg_b", body={"metadata": {}})
    assert (modified.status, modified.body) == (404, no_message("msg_b"))
    assert numbers(client, seven, after=3) == ("210", False)
    assert numbers(client, seven, before=3) == ("654", False)
    assert numbers(client, seven, run_id="run_1") == ("5", False)


def test_a_message_is_modified(client: Client, seven: list[dict[str, Any]]) -> None:
    seven[2]["metadata"] = {"a": "b"}
    answer = client.call("modify_message", THREAD, seven[2]["id"], body={"metadata": {"a": "b"}})
    assert (answer.status, answer.text) == (200, compact(seven[2]))

    seven[3]["content"] = [expected.text("edited")]
    answer = client.call("modify_message", THREAD, "msg_b", body={"content": "edited"})
    assert (answer.status, answer.text) == (200, compact(seven[3]))

    assert numbers(client, seven, order="asc") == ("0123456", False)


@pytest.mark.parametrize("known", [True, False], ids=["the thread exists", "no thread"])
def test_what_is_not_known_is_not_found(client: Client, known: bool) -> None:
    if known:
        brought(client, thread(), message("msg_a"))
    error = no_message("msg_other") if known else no_thread(THREAD)
    bodies: dict[str, Any] = {"modify_message": {"metadata": {}}}

    for operation in ("retrieve_message", "modify_message", "delete_message"):
        answer = client.call(operation, THREAD, "msg_other", body=bodies.get(operation))
        assert (answer.status, answer.body) == (404, error)
    for cursors in ({"after": "msg_other"}, {"after": "msg_a", "before": "msg_other"}):
        answer = client.call("list_messages", THREAD, query=cursors)
        assert (answer.status, answer.body) == (404, error)


def test_the_place_of_a_message_is_no_id(client: Client, seven: list[dict[str, Any]]) -> None:
    place = next(sort for sort in stored.sort_keys(f"{client.project}#{THREAD}", "msg_"))

    for operation, body in (("retrieve_message", None), ("modify_message", {"metadata": {"a": "b"}})):
        answer = client.call(operation, THREAD, place, body=body)
        assert (answer.status, answer.body) == (404, no_message(place))
    answer = client.call("delete_message", THREAD, place)
    assert (answer.status, answer.body) == (404, no_message(place))
    assert client.create("retrieve_message", THREAD, "msg_g") == seven[0]


def test_new_messages_come_after_the_imported_ones_and_with_a_key_once(
    client: Client, seven: list[dict[str, Any]]
) -> None:
    header = {"idempotency-key": "key"}
    first = client.call("create_message", THREAD, body=expected.ROLE_USER, headers=header)
    second = client.call("create_message", THREAD, body=expected.ROLE_USER, headers=header)

    assert (first.text, second.headers["idempotent-replayed"]) == (second.text, "true")
    assert client.page(THREAD, order="asc") == expected.page([*seven, first.body])


def test_a_new_message_comes_after_one_whose_time_is_ahead(client: Client) -> None:
    ahead = int(time.time()) + 55
    brought(client, thread(), message("msg_a", created_at=ahead))

    created = client.message(THREAD)

    assert created["created_at"] == ahead
    assert [found["id"] for found in client.page(THREAD)["data"]] == [created["id"], "msg_a"]


def test_threads_are_listed_by_the_ids_they_had(client: Client) -> None:
    native = "thread_01HEBKXB88ZZZZZZZZZZZZZZZZ"
    ids = ["thread_z", "thread_a", native, f"thread_{_LETTERS}"]
    times = [CREATED, CREATED, _NATIVE_CREATED, _NATIVE_CREATED + 1]
    threads = [thread(own, created_at) for own, created_at in zip(ids, times, strict=True)]
    brought(client, *threads)
    threads.append(client.create("create_thread"))
    names = [found["id"] for found in threads]

    def listed(**query: Any) -> list[str]:
        answer = client.call("list_threads", query=query)
        page = [found for found in threads if found["id"] in answer.text]
        page = page if query.get("order") == "asc" else page[::-1]
        assert answer.text == compact(expected.page(page, has_more=answer.body["has_more"]))
        return [found["id"] for found in page]

    assert listed(order="asc") == names
    for place, name in enumerate(names):
        assert listed(after=name) == names[:place][::-1]
        assert listed(before=name, order="asc") == names[:place]
        assert listed(before=name) == names[place + 1 :][::-1]
        answer = client.call("retrieve_thread", name)
        assert (answer.status, answer.text) == (200, compact(threads[place]))


def test_a_thread_moves_with_its_metadata(client: Client) -> None:
    brought(client, thread(metadata={"user_id": "a"}))

    modified = client.create("modify_thread", THREAD, body={"metadata": {"user_id": "b"}})

    assert modified == thread(metadata={"user_id": "b"})
    assert client.create("list_threads", query={"metadata[user_id]": "a"}) == expected.page([])
    assert client.create("list_threads", query={"metadata[user_id]": "b"}) == expected.page([modified])


def test_a_deleted_thread_is_a_cursor_until_it_is_erased_and_then_nothing_of_it_is_left(client: Client) -> None:
    other = thread("thread_z", CREATED + 1)
    brought(
        client,
        thread(metadata={"user_id": "a"}),
        message("msg_a", run_id="run_1"),
        message(_NATIVE, "b", _NATIVE_CREATED),
        other,
    )
    partition = f"{client.project}#{THREAD}"
    client.create("delete_message", THREAD, "msg_a")
    client.create("delete_thread", THREAD)

    assert client.call("retrieve_message", THREAD, "msg_a").status == 404
    assert client.call("list_messages", THREAD, query={"after": "msg_a"}).body == no_thread(THREAD)
    assert client.create("list_threads", query={"before": THREAD}) == expected.page([other])

    erase(asked(partition))

    assert stored.sort_keys(partition) == []
    assert len(stored.sort_keys(f"{client.project}#threads")) == 1
    gone = client.call("list_threads", query={"before": THREAD})
    assert (gone.status, gone.body) == (404, no_thread(THREAD))


def test_a_thread_that_is_being_imported_is_not_there_for_anybody(client: Client) -> None:
    brought(client, thread(), message("msg_a"))
    stored.change(f"{client.project}#{THREAD}", "head", state={"S": "pending"})

    assert client.create("list_threads") == expected.page([])
    for operation, ids, body in (
        ("retrieve_thread", (THREAD,), None),
        ("delete_thread", (THREAD,), None),
        ("list_messages", (THREAD,), None),
        ("retrieve_message", (THREAD, "msg_a"), None),
        ("create_message", (THREAD,), expected.ROLE_USER),
        ("modify_message", (THREAD, "msg_a"), {"metadata": {}}),
    ):
        answer = client.call(operation, *ids, body=body)
        assert (answer.status, answer.body) == (404, no_thread(THREAD))
    answer = client.call("list_threads", query={"after": THREAD})
    assert (answer.status, answer.body) == (404, no_thread(THREAD))


def test_the_same_ids_in_another_project_are_others(client: Client) -> None:
    stranger = Client()
    brought(client, thread(), message("msg_a", "ours"))
    brought(stranger, thread(metadata={"a": "b"}), message("msg_a", "theirs"))

    client.create("delete_thread", THREAD)

    assert stranger.create("retrieve_thread", THREAD) == thread(metadata={"a": "b"})
    assert stranger.page(THREAD) == expected.page([message("msg_a", "theirs")])


def test_an_import_tells_nothing_and_what_happens_afterwards_is_told_under_the_ids_they_had(
    client: Client, queue: Queue
) -> None:
    from shared import events

    with stream.changes() as records:
        brought(client, thread(), message("msg_a"))
    assert [event for record in records for event in events.of_record(record)] == []

    with stream.changes() as records:
        client.create("modify_thread", THREAD, body={"metadata": {"a": "b"}})
        client.create("modify_message", THREAD, "msg_a", body={"metadata": {"a": "b"}})
    message_updated, thread_updated = (event for record in records for event in events.of_record(record))
    assert (message_updated.kind, thread_updated.kind) == ("thread.message.updated", "thread.updated")
    assert f'"event_id":"{client.project}/{THREAD}/msg_a/2"' in message_updated.detail
    assert f'"event_id":"{client.project}/{THREAD}/2"' in thread_updated.detail
    assert message_updated.detail.startswith('{"id":"msg_a","object":"thread.message","created_at":1699012949,')

    with stream.changes() as records:
        client.create("delete_message", THREAD, "msg_a")
    (deleted,) = (event for record in records for event in events.of_record(record))
    assert deleted.kind == "thread.message.deleted"
    assert deleted.detail.startswith('{"id":"msg_a","object":"thread.message.deleted","deleted":true,')
    assert f'"event_id":"{client.project}/{THREAD}/msg_a/3"' in deleted.detail


def test_an_import_that_wrote_its_items_twice_tells_nothing(client: Client) -> None:
    """The engine may write a record to the stream for a write that changes nothing."""
    from shared import events

    brought(client, thread(), message("msg_a"))
    partition = f"{client.project}#{THREAD}"
    (place,) = stored.sort_keys(partition, "msg_")

    for sort in ("thread", place):
        item = stored.item(partition, sort)
        assert [*events.of_record(stream.record(1, item, item))] == []


def test_the_parts_of_a_large_imported_message_are_erased_with_it(client: Client, queue: Queue) -> None:
    large = "".join(map(chr, range(0x10000, 0x10000 + 200_000)))
    brought(client, thread(), message("msg_a", large))
    partition = f"{client.project}#{THREAD}"
    assert client.create("retrieve_message", THREAD, "msg_a") == message("msg_a", large)
    (place,) = stored.sort_keys(partition, "msg_")
    parts = stored.sort_keys(partition, "part#")
    assert parts

    with stream.changes("QueueJobs") as records:
        client.create("delete_message", THREAD, "msg_a")
    queue_changes(*(record["dynamodb"] for record in records))
    (erasure,) = queue.taken()
    erase(erasure)

    assert erasure == asked(partition, f"part#{place}#00000001#")
    assert stored.sort_keys(partition, "part#") == []
