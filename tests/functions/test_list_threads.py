"""Lists of threads, of a project and of a value of the indexed metadata key. test_lists.py tests their pages."""

import pytest

from tests.support import expected, fault_injection
from tests.support.client import Client
from tests.support.variables import VARIABLES


def test_a_project_without_threads_has_an_empty_list(client: Client) -> None:
    for query in ({}, {"metadata[user_id]": "x"}):
        assert client.create("list_threads", query=query) == expected.page([])


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


def test_without_an_indexed_metadata_key_no_filter_is_taken(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VARIABLES, "INDEXED_METADATA_KEY", "")
    thread = client.create("create_thread", body={"metadata": {"user_id": "a"}})

    answer = client.call("list_threads", query={"metadata[user_id]": "a"})

    error = expected.invalid("metadata[user_id]", "threads can be listed by no metadata key in this deployment.")
    assert (answer.status, answer.body) == (400, error)
    assert client.create("list_threads") == expected.page([thread])
