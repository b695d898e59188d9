"""Lists of threads: what they hold, by project and by value of the indexed metadata key; their pages: test_lists.py."""

import pytest

from tests.support import expected, fault_injection
from tests.support.client import Client
from tests.support.variables import VARIABLES


def test_a_project_without_threads_has_an_empty_list(client: Client) -> None:
    for query in ({}, {"metadata[user_id]": "x"}):
        assert client.create("list_threads", query=query) == expected.page([])


def test_a_thread_moves_to_the_list_of_its_new_value(client: Client) -> None:
    thread_id = client.thread()
    steps: list[tuple[dict[str, str] | None, list[str]]] = [
        ({"user_id": "a"}, ["a"]),
        ({"user_id": "b", "x": "y"}, ["b"]),
        ({"user_id": ""}, []),  # listed under the empty value, which is not taken
        ({"x": "y"}, []),
        ({"user_id": "a"}, ["a"]),
        (None, []),
    ]

    for metadata, values in steps:
        client.create("modify_thread", thread_id, body={"metadata": metadata})
        listed = [
            value for value in ("a", "b") if client.create("list_threads", query={"metadata[user_id]": value})["data"]
        ]
        assert listed == values
        assert len(client.create("list_threads")["data"]) == 1


def test_deleted_threads_leave_no_hole_in_a_page(client: Client) -> None:
    ids = [client.thread() for _ in range(7)]
    for deleted in (1, 2, 3, 4):
        client.create("delete_thread", ids[deleted])

    page = client.create("list_threads", query={"limit": 2})
    rest = client.create("list_threads", query={"limit": 2, "after": page["last_id"]})

    assert ([thread["id"] for thread in page["data"]], page["has_more"]) == ([ids[6], ids[5]], True)
    assert ([thread["id"] for thread in rest["data"]], rest["has_more"]) == ([ids[0]], False)


def test_many_deleted_threads_are_passed_over_in_few_calls(client: Client) -> None:
    ids = [client.thread() for _ in range(12)]
    for deleted in ids[1:]:
        client.create("delete_thread", deleted)

    with fault_injection.inject() as attempts:
        page = client.create("list_threads", query={"limit": 1})

    assert ([thread["id"] for thread in page["data"]], page["has_more"]) == ([ids[0]], False)
    assert [call for call, _ in attempts.log] == ["Query", "BatchGetItem"] * 2


def test_a_page_with_something_in_it_does_not_wait_for_all_deleted_threads_to_be_passed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.store import thread_pages

    monkeypatch.setattr(thread_pages, "_PASSED_AT_MOST", 3)
    monkeypatch.setattr(thread_pages, "_PASSED_AT_ONCE", 3)
    ids = [client.thread() for _ in range(8)]
    for deleted in ids[1:-1]:
        client.create("delete_thread", deleted)

    page = client.create("list_threads", query={"limit": 2})
    rest = client.create("list_threads", query={"limit": 2, "after": page["last_id"]})

    assert ([thread["id"] for thread in page["data"]], page["has_more"]) == ([ids[-1]], True)
    assert ([thread["id"] for thread in rest["data"]], rest["has_more"]) == ([ids[0]], False)


def test_a_project_sees_its_own_threads_only(client: Client) -> None:
    Client().thread(metadata={"user_id": "a"})

    assert client.create("list_threads") == expected.page([])
    assert client.create("list_threads", query={"metadata[user_id]": "a"}) == expected.page([])


def test_without_an_indexed_metadata_key_no_filter_is_taken(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VARIABLES, "INDEXED_METADATA_KEY", "")
    thread = client.create("create_thread", body={"metadata": {"user_id": "a"}})

    answer = client.call("list_threads", query={"metadata[user_id]": "a"})

    error = expected.invalid("metadata[user_id]", "threads can be listed by no metadata key in this deployment.")
    assert (answer.status, answer.body) == (400, error)
    assert client.create("list_threads") == expected.page([thread])


def test_lists_spread_over_shards_are_one_list(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [client.thread() for _ in range(3)]
    monkeypatch.setitem(VARIABLES, "THREAD_LIST_SHARDS", "3")
    ids = [*before, *(client.thread() for _ in range(6))]

    listed = client.create("list_threads", query={"limit": 5, "order": "asc"})
    rest = client.create("list_threads", query={"limit": 5, "order": "asc", "after": listed["last_id"]})

    assert [thread["id"] for thread in listed["data"] + rest["data"]] == ids
    assert (listed["has_more"], rest["has_more"]) == (True, False)
