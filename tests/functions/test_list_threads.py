"""Lists of threads: a project's, and those with one value of the indexed metadata key."""

from typing import Any

import pytest

from tests.support import expected, fault_injection
from tests.support.client import Client
from tests.support.expected import compact
from tests.support.refusals import NOWHERE
from tests.support.variables import VARIABLES

_LAST = "thread_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"


class Threads:
    """A project of five threads, numbered 0 to 4 in their order, and pages of them as numbers."""

    def __init__(self, metadata: dict[str, str]) -> None:
        self.client = Client()
        self.filter = {f"metadata[{name}]": value for name, value in metadata.items()}
        self.threads = []
        for _ in range(5):
            if metadata:
                self.client.thread(metadata={"user_id": "somebody else"})
                self.client.thread()
            self.threads.append(self.client.create("create_thread", body={"metadata": metadata}))
        self.ids = [thread["id"] for thread in self.threads]

    def page(self, **query: Any) -> tuple[list[int], bool]:
        """Return the numbers of the threads of a page, and has_more; `after` and `before` are numbers too."""
        for name in ("after", "before"):
            if isinstance(query.get(name), int):
                query[name] = self.ids[query[name]]
        answer = self.client.call("list_threads", query={**query, **self.filter})
        numbers = [self.ids.index(thread["id"]) for thread in answer.body["data"]]
        has_more = answer.body["has_more"]
        whole = expected.page([self.threads[number] for number in numbers], has_more=has_more)
        assert (answer.status, answer.text) == (200, compact(whole))
        return numbers, has_more


@pytest.fixture(scope="module", params=[{}, {"user_id": "Größe 🐈 & co"}], ids=["all", "of a value"])
def threads(request: pytest.FixtureRequest, on_the_table: None) -> Threads:
    return Threads(request.param)


PAGES: list[tuple[dict[str, Any], list[int], bool]] = [
    ({}, [4, 3, 2, 1, 0], False),
    ({"order": "asc"}, [0, 1, 2, 3, 4], False),
    ({"limit": 5}, [4, 3, 2, 1, 0], False),
    ({"limit": 4}, [4, 3, 2, 1], True),
    ({"after": 3, "limit": 2}, [2, 1], True),
    ({"after": 3, "limit": 3}, [2, 1, 0], False),
    ({"after": 0}, [], False),
    ({"after": 2, "order": "asc"}, [3, 4], False),
    ({"before": 1}, [4, 3, 2], False),
    ({"before": 1, "limit": 2}, [3, 2], True),
    ({"before": 3, "order": "asc", "limit": 2}, [1, 2], True),
    ({"after": 4, "before": 0, "limit": 2}, [3, 2], True),
    ({"after": 4, "before": 0}, [3, 2, 1], False),
    ({"after": 1, "before": 3}, [], False),
    ({"after": NOWHERE, "order": "asc", "limit": 1}, [0], True),
    ({"after": _LAST, "limit": 1}, [4], True),
    ({"before": NOWHERE, "limit": 1}, [0], True),
]


@pytest.mark.parametrize(("query", "numbers", "has_more"), PAGES, ids=[str(query) for query, _, _ in PAGES])
def test_a_page_of_threads(threads: Threads, query: dict[str, Any], numbers: list[int], has_more: bool) -> None:
    assert threads.page(**query) == (numbers, has_more)


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
