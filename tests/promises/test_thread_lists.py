"""Lists of threads, of a project and of one metadata value: newest first, never stale, with any number of shards."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.promises import calls
from tests.promises.threads import listed, remains
from tests.support.client import Client
from tests.support.filled import USER
from tests.support.variables import VARIABLES

OF_USER = {"metadata[user_id]": USER}
LONGEST = "\U0001f9f5" * 512


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set the ThreadListShards of a deployment."""

    def deploy(shards: int) -> None:
        monkeypatch.setitem(VARIABLES, "THREAD_LIST_SHARDS", str(shards))

    return deploy


@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("query", [{}, OF_USER], ids=["project", "user"])
def test_pages_are_the_same_over_one_partition_and_over_four(
    client: Client, spread: Callable[[int], None], shards: int, query: dict[str, str]
) -> None:
    spread(shards)
    newest_first = [client.thread(metadata={"user_id": USER}) for _ in range(25)][::-1]
    for deleted in (newest_first.pop(20), newest_first.pop(7)):
        client.create("delete_thread", deleted)
    for order, expected in (("desc", newest_first), ("asc", newest_first[::-1])):
        pages = [expected[start : start + 7] for start in range(0, 23, 7)]
        after = [_page(client, query, order=order, limit=7, after=page[-1]) for page in pages]
        assert after == [(page, bool(pages[place + 2 :])) for place, page in enumerate([*pages[1:], []])]
        assert _page(client, query, order=order, limit=7) == (pages[0], True)
        before = [_page(client, query, order=order, limit=7, before=page[0]) for page in pages[1:]]
        assert before == [(page, place > 0) for place, page in enumerate(pages[:-1])]
        assert _page(client, query, order=order, limit=7, after=expected[3], before=expected[9]) == (
            expected[4:9],
            False,
        )
        assert _page(client, query, order=order, limit=3, after=expected[3], before=expected[9]) == (
            expected[4:7],
            True,
        )


def test_threads_from_before_the_shards_grew_stay_listed_change_and_go(
    client: Client, spread: Callable[[int], None]
) -> None:
    shown: list[str] = []
    for shards in (1, 2, 4):
        spread(shards)
        shown[:0] = [client.thread(metadata={"user_id": USER}) for _ in range(8)][::-1]
        assert listed(client, limit=5) == listed(client, **OF_USER) == shown
    for thread_id in shown:
        client.create("modify_thread", thread_id, body={"metadata": {"user_id": USER, "a": "b"}})
    assert listed(client, limit=5) == listed(client, **OF_USER) == shown
    for thread_id in shown[::2]:
        client.create("delete_thread", thread_id)
    assert listed(client) == shown[1::2]


def test_a_cursor_is_a_position_also_of_a_thread_that_is_gone(client: Client) -> None:
    first, second, third = (client.thread() for _ in range(3))
    client.create("delete_thread", second)
    assert _page(client, {}, after=second) == ([first], False)
    assert _page(client, {}, before=second) == ([third], False)
    assert _page(client, {}, after=first) == ([], False)


def test_a_thread_moves_with_its_metadata(client: Client) -> None:
    kept, moved = (client.thread(metadata={"user_id": USER}) for _ in range(2))
    other = {"metadata[user_id]": "other"}
    entries = remains(client, moved)
    client.create("modify_thread", moved, body={"metadata": {"user_id": "other"}})
    assert (listed(client, **OF_USER), listed(client, **other)) == ([kept], [moved])
    assert remains(client, moved) == entries[:-1], "the former value's list holds nothing of it any more"
    client.create("modify_thread", moved, body={"tool_resources": {"file_search": {}}})
    assert (listed(client, **OF_USER), listed(client, **other)) == ([kept], [moved])
    client.create("modify_thread", moved, body={"metadata": {"user_id": USER}})
    assert (listed(client, **OF_USER), listed(client, **other)) == ([moved, kept], [])
    client.create("modify_thread", moved, body={"metadata": None})
    assert (listed(client, **OF_USER), listed(client)) == ([kept], [moved, kept])
    client.create("modify_thread", moved, body={"metadata": {"user_id": ""}})
    assert (listed(client, **OF_USER), listed(client)) == ([kept], [moved, kept])


@pytest.mark.parametrize("value", [LONGEST, "\x00" * 512, "#=#", "ä ö", "\U0001f9f5"])
def test_any_value_can_be_listed_by(client: Client, value: str) -> None:
    thread_id = client.thread(metadata={"user_id": value})
    client.thread(metadata={"user_id": value[:-1] + "x"})
    assert listed(client, **{"metadata[user_id]": value}) == [thread_id]


def test_the_lists_of_a_project_and_of_a_value_are_its_own(client: Client) -> None:
    other = Client()
    theirs, ours = other.thread(metadata={"user_id": USER}), client.thread(metadata={"user_id": USER})
    with calls.partitions() as read:
        assert listed(client) == listed(client, **OF_USER) == [ours]
    assert {partition.partition("#")[0] for partition in read} == {client.project}
    assert listed(other) == listed(other, **OF_USER) == [theirs]


def test_messages_do_not_touch_the_lists(trusted: Client) -> None:
    thread_id = trusted.thread(metadata={"user_id": USER})
    with calls.partitions() as touched:
        message_id = trusted.message(thread_id, role="assistant", run_id="run_1")["id"]
        trusted.page(thread_id)
        trusted.page(thread_id, run_id="run_1")
        trusted.create("retrieve_message", thread_id, message_id)
        trusted.create("modify_message", thread_id, message_id, body={"metadata": {"a": "b"}})
        trusted.create("delete_message", thread_id, message_id)
    assert touched == {f"{trusted.project}#{thread_id}"}


def _page(client: Client, fixed: dict[str, str], **query: Any) -> tuple[list[str], bool]:
    page = client.create("list_threads", query=fixed | query)
    return [thread["id"] for thread in page["data"]], page["has_more"]
