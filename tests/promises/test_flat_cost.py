"""Every operation makes the same calls of DynamoDB, with the same units, in a thread of 10 messages and in a long one.

MESSAGES is the length of the long thread, by default 3,000. To write 100,000 takes about half a minute.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.promises import calls
from tests.support.capacity import Call, recorded
from tests.support.client import Client
from tests.support.filled import RUN, USER, Long, fill

SIZES = (10, int(os.environ.get("MESSAGES", "3000")))


@pytest.fixture(scope="module")
def owner() -> Client:
    return Client(trusted=True)


@pytest.fixture(scope="module")
def threads(owner: Client) -> list[Long]:
    """Return a thread of each size."""
    return [fill(owner, size) for size in SIZES]


def _middle(names: list[str]) -> str:
    return names[len(names) // 2]


def _list(**query: Any) -> Callable[[Client, Long], object]:
    """Return a call for a page of 3 messages. `after` and `before` are functions of the thread."""

    def call(client: Client, thread: Long) -> object:
        found = {name: value(thread) if callable(value) else value for name, value in query.items()}
        page = client.page(thread.id, limit=3, **found)
        assert len(page["data"]) == 3
        return page

    return call


def _of_all(thread: Long) -> str:
    return _middle(thread.messages)


def _of_run(thread: Long) -> str:
    return _middle(thread.of_run)


def _create(client: Client, thread: Long, **options: Any) -> object:
    body = {"role": "assistant", "content": "hello", **options.pop("body", {})}
    return client.create("create_message", thread.id, body=body, **options)


def _create_and_delete(client: Client, thread: Long) -> object:
    message = client.create("create_message", thread.id, body={"role": "user", "content": "hello"})
    return client.create("delete_message", thread.id, message["id"])


LISTED = [Call("GetItem", 1, 0), Call("Query", 1, 0)]
OF_RUN = [*LISTED, Call("BatchGetItem", 3, 0)]
# Units as DynamoDB bills them: a read unit is 4 KB, a write unit 1 KB, in a transaction each counts twice.
OPERATIONS: dict[str, tuple[Callable[[Client, Long], object], list[Call]]] = {
    "list, newest first": (_list(), LISTED),
    "list, oldest first": (_list(order="asc"), LISTED),
    "list after": (_list(after=_of_all), LISTED),
    "list after, oldest first": (_list(order="asc", after=_of_all), LISTED),
    "list before": (_list(before=_of_all), LISTED),
    "list before, oldest first": (_list(order="asc", before=_of_all), LISTED),
    "list between": (_list(after=lambda t: t.messages[-1], before=lambda t: t.messages[0]), LISTED),
    "list of a run": (_list(run_id=RUN), OF_RUN),
    "list of a run, oldest first": (_list(run_id=RUN, order="asc"), OF_RUN),
    "list of a run after": (_list(run_id=RUN, after=_of_run), OF_RUN),
    "list of a run before": (_list(run_id=RUN, before=_of_run), OF_RUN),
    "retrieve the first": (
        lambda client, t: client.create("retrieve_message", t.id, t.messages[0]),
        [Call("BatchGetItem", 2, 0)],
    ),
    "retrieve the last": (
        lambda client, t: client.create("retrieve_message", t.id, t.messages[-1]),
        [Call("BatchGetItem", 2, 0)],
    ),
    "modify": (
        lambda client, t: client.create("modify_message", t.id, _of_all(t), body={"metadata": {"a": "b"}}),
        [Call("GetItem", 1, 0), Call("UpdateItem", 0, 1)],
    ),
    "edit": (
        lambda client, t: client.create("modify_message", t.id, _of_all(t), body={"content": "edited"}),
        [Call("BatchGetItem", 2, 0), Call("UpdateItem", 0, 1)],
    ),
    "create": (_create, [Call("TransactWriteItems", 0, 4)]),
    "create in a run": (
        lambda client, t: _create(client, t, body={"run_id": RUN}),
        [Call("TransactWriteItems", 0, 6)],
    ),
    "create once": (
        lambda client, t: _create(client, t, headers={"idempotency-key": "key"}),
        [Call("TransactWriteItems", 0, 6)],
    ),
    "create and delete": (
        _create_and_delete,
        [Call("TransactWriteItems", 0, 4), Call("BatchGetItem", 2, 0), Call("DeleteItem", 0, 1)],
    ),
    "delete from a run": (
        lambda client, t: client.create("delete_message", t.id, t.of_run.pop(1)),
        [Call("BatchGetItem", 2, 0), Call("TransactWriteItems", 0, 4)],
    ),
    "retrieve thread": (lambda client, t: client.create("retrieve_thread", t.id), [Call("BatchGetItem", 2, 0)]),
    "modify thread": (
        lambda client, t: client.create("modify_thread", t.id, body={"metadata": {"user_id": USER, "a": "b"}}),
        [Call("BatchGetItem", 2, 0), Call("TransactWriteItems", 0, 2)],
    ),
}


@pytest.fixture(autouse=True)
def _none_by_chance(owner: Client, threads: list[Long], monkeypatch: pytest.MonkeyPatch) -> None:
    calls.none_by_chance(owner, monkeypatch)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_costs_the_same_however_long_the_thread_is(owner: Client, threads: list[Long], name: str) -> None:
    operation, expected = OPERATIONS[name]
    for thread in threads:
        with recorded() as made:
            operation(owner, thread)
        # A list makes its first two calls at the same time.
        assert sorted(made) == sorted(expected)


def test_listing_threads_costs_the_same_however_long_they_are(owner: Client, threads: list[Long]) -> None:
    for query in ({}, {"metadata[user_id]": USER}):
        with recorded() as made:
            page = owner.create("list_threads", query=query)
        assert len(page["data"]) == len(SIZES)
        assert made == [Call("Query", 1, 0), Call("BatchGetItem", 2 * len(SIZES), 0)]
