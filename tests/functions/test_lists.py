"""Lists of messages and threads, all or of one run or value: order, cursors, both ways, has_more."""

from typing import Any

import pytest

from tests.support import expected
from tests.support.client import Client
from tests.support.expected import compact

_FIRST, _LAST = "0" * 26, "7" + "Z" * 25


class Listed:
    """Seven messages or threads, numbered 0 to 6 in their order, and pages of their list as numbers."""

    def __init__(self, function: str, **query: str) -> None:
        self.client = Client(trusted=True)
        self.thread_id = self.client.thread() if function == "list_messages" else ""
        self.path = [self.thread_id] if self.thread_id else []
        self.prefix = "msg_" if self.thread_id else "thread_"
        self.query = query
        self.function = function
        make = self._message if self.thread_id else self._thread
        self.objects = [make(number) for number in range(7)]
        self.ids = [found["id"] for found in self.objects]

    def _message(self, number: int) -> dict[str, Any]:
        if run_id := self.query.get("run_id"):
            self.client.message(self.thread_id, "of no run")
            self.client.message(self.thread_id, "of another run", role="assistant", run_id=f"{run_id}x")
        return self.client.message(self.thread_id, str(number), role="assistant", **self.query)

    def _thread(self, _number: int) -> dict[str, Any]:
        value = self.query.get("metadata[user_id]")
        if value:
            self.client.thread(metadata={"user_id": "somebody else"})
            self.client.thread()
        return self.client.create("create_thread", body={"metadata": {"user_id": value} if value else {}})

    def page(self, **query: Any) -> tuple[list[int], bool]:
        """Return the numbers of a page's objects, and has_more. `after` and `before` are numbers too."""
        for name in {"after", "before"} & query.keys():
            cursor = query[name]
            query[name] = self.ids[cursor] if isinstance(cursor, int) else self.prefix + cursor
        answer = self.client.call(self.function, *self.path, query=query | self.query)
        numbers = [self.ids.index(found["id"]) for found in answer.body["data"]]
        has_more = answer.body["has_more"]
        whole = expected.page([self.objects[number] for number in numbers], has_more=has_more)
        assert (answer.status, answer.text) == (200, compact(whole))
        return numbers, has_more


_OF = {
    "messages": ("list_messages", {}),
    "messages of a run": ("list_messages", {"run_id": "run_1"}),
    "threads": ("list_threads", {}),
    "threads of a value": ("list_threads", {"metadata[user_id]": "Größe 🐈 & co"}),
}


@pytest.fixture(scope="module", params=_OF)
def listed(request: pytest.FixtureRequest, on_the_table: None) -> Listed:
    function, query = _OF[request.param]
    return Listed(function, **query)


PAGES: list[tuple[dict[str, Any], list[int], bool]] = [
    ({}, [6, 5, 4, 3, 2, 1, 0], False),
    ({"order": "desc"}, [6, 5, 4, 3, 2, 1, 0], False),
    ({"order": "asc"}, [0, 1, 2, 3, 4, 5, 6], False),
    ({"limit": 7}, [6, 5, 4, 3, 2, 1, 0], False),
    ({"limit": 6}, [6, 5, 4, 3, 2, 1], True),
    ({"limit": 1}, [6], True),
    ({"limit": 1, "order": "asc"}, [0], True),
    ({"after": 6}, [5, 4, 3, 2, 1, 0], False),
    ({"after": 3, "limit": 2}, [2, 1], True),
    ({"after": 3, "limit": 3}, [2, 1, 0], False),
    ({"after": 0}, [], False),
    ({"after": 3, "order": "asc"}, [4, 5, 6], False),
    ({"after": 3, "order": "asc", "limit": 2}, [4, 5], True),
    ({"after": 6, "order": "asc"}, [], False),
    # With `before` alone: the page that ends just before X, in the requested order; has_more is about its far side.
    ({"before": 3}, [6, 5, 4], False),
    ({"before": 3, "limit": 3}, [6, 5, 4], False),
    ({"before": 3, "limit": 2}, [5, 4], True),
    ({"before": 3, "limit": 1}, [4], True),
    ({"before": 6}, [], False),
    ({"before": 3, "order": "asc"}, [0, 1, 2], False),
    ({"before": 3, "order": "asc", "limit": 2}, [1, 2], True),
    ({"before": 0, "order": "asc"}, [], False),
    # With both: from behind `after` towards `before`.
    ({"after": 6, "before": 2}, [5, 4, 3], False),
    ({"after": 6, "before": 2, "limit": 3}, [5, 4, 3], False),
    ({"after": 6, "before": 2, "limit": 2}, [5, 4], True),
    ({"after": 1, "before": 5, "order": "asc"}, [2, 3, 4], False),
    ({"after": 1, "before": 5, "order": "asc", "limit": 2}, [2, 3], True),
    ({"after": 3, "before": 2}, [], False),
    ({"after": 2, "before": 2}, [], False),
    ({"after": 2, "before": 4}, [], False),
    ({"after": 5, "before": 1, "order": "asc"}, [], False),
    # A cursor is a position in the list. It works for every client.
    ({"after": _FIRST}, [], False),
    ({"after": _FIRST, "order": "asc", "limit": 2}, [0, 1], True),
    ({"after": _LAST, "limit": 2}, [6, 5], True),
    ({"after": _LAST, "order": "asc"}, [], False),
    ({"before": _FIRST, "limit": 2}, [1, 0], True),
    ({"before": _FIRST, "order": "asc"}, [], False),
    ({"before": _LAST, "order": "asc", "limit": 2}, [5, 6], True),
    ({"before": _LAST}, [], False),
    ({"after": _LAST, "before": _FIRST, "limit": 100}, [6, 5, 4, 3, 2, 1, 0], False),
]


@pytest.mark.parametrize(("query", "numbers", "has_more"), PAGES, ids=[str(query) for query, _, _ in PAGES])
def test_a_page(listed: Listed, query: dict[str, Any], numbers: list[int], has_more: bool) -> None:
    assert listed.page(**query) == (numbers, has_more)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_follow_one_another_both_ways(listed: Listed, order: str, limit: int) -> None:
    in_order = list(range(7)) if order == "asc" else list(range(6, -1, -1))

    seen, more = listed.page(order=order, limit=limit)
    while more:
        numbers, more = listed.page(order=order, limit=limit, after=seen[-1])
        seen += numbers
    assert seen == in_order

    back: list[int] = [in_order[-1]]
    more = True
    while more:
        numbers, more = listed.page(order=order, limit=limit, before=back[0])
        back = numbers + back
    assert back == in_order


def test_an_empty_thread_is_an_empty_list(client: Client) -> None:
    answer = client.call("list_messages", client.thread())

    empty = '{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}'
    assert (answer.status, answer.text) == (200, empty)


def test_a_page_has_20_messages_unless_it_is_said(client: Client) -> None:
    thread_id = client.thread(messages=[expected.ROLE_USER] * 21)

    page = client.page(thread_id)

    assert (len(page["data"]), page["has_more"]) == (20, True)


def test_a_deleted_or_foreign_message_is_as_good_a_cursor(client: Client) -> None:
    thread_id, other = client.thread(), client.thread()
    first, second = client.message(thread_id), client.message(thread_id)
    foreign = client.message(other)
    third = client.message(thread_id)
    client.create("delete_message", thread_id, second["id"])

    for cursor in (second["id"], foreign["id"]):
        assert client.page(thread_id, after=cursor)["data"] == [first]
        assert client.page(thread_id, before=cursor)["data"] == [third]
        assert client.page(thread_id, after=cursor, order="asc")["data"] == [third]


def test_a_run_that_the_thread_does_not_have_is_an_empty_list(client: Client) -> None:
    thread_id = client.thread()
    client.message(thread_id)

    assert client.page(thread_id, run_id="run_1") == expected.page([])


def test_a_deleted_message_is_gone_from_its_run(trusted: Client) -> None:
    thread_id = trusted.thread()
    kept, deleted = (trusted.message(thread_id, role="assistant", run_id="run_1") for _ in range(2))

    trusted.create("delete_message", thread_id, deleted["id"])

    assert trusted.page(thread_id, run_id="run_1") == expected.page([kept])
    assert trusted.page(thread_id) == expected.page([kept])
