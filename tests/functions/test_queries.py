"""Query parameters of both lists: limit, order, cursors, run_id and the metadata filter, and refusals of them."""

from typing import Any

import pytest

from tests.support.client import Client
from tests.support.expected import (
    error,
    invalid,
    malformed_id,
    no_message,
    no_thread,
    plain_id,
    repeated,
    unknown,
    unsupported,
    wrong_type,
)
from tests.support.refusals import NOWHERE, refused

_LISTS = [("list_messages", (NOWHERE,)), ("list_threads", ())]


def _above(limit: str) -> dict[str, Any]:
    message = f"Invalid 'limit': integer above maximum value. Expected a value <= 100, but got {limit} instead."
    return error(message, "limit", "integer_above_max_value")


def _below(limit: str) -> dict[str, Any]:
    message = f"Invalid 'limit': integer below minimum value. Expected a value >= 1, but got {limit} instead."
    return error(message, "limit", "integer_below_min_value")


_NO_INTEGER = wrong_type("limit", "an integer", "a string")
_ORDERS = "'asc' and 'desc'"
REFUSED = [
    *((f"limit={limit}", _above(limit)) for limit in ("101", "1000", "0101", "9" * 1500)),
    *((f"limit={limit}", _below(limit)) for limit in ("0", "000", "-0", "-1", "-101", "-" + "9" * 1500)),
    *(
        (f"limit={limit}", _NO_INTEGER)
        for limit in ("x", "1.0", "1e1", "0x10", "1_0", "%2B5", "+5", "--5", "-", "%20", "5%0A", "%D9%A3", "²", "true")
    ),
    *((f"{name}=1&{name}=1", repeated(name)) for name in ("limit", "order", "after", "before")),
    ("limit=5&limit=&limit=x", repeated("limit")),
    ("limit=1,2", _NO_INTEGER),
    *((f"order={order}", unsupported("order", order, _ORDERS)) for order in ("ASC", "ascending", "1")),
    ("order=x&limit=0", unsupported("order", "x", _ORDERS)),
    ("limit=0&after=x", _below("0")),
]


@pytest.mark.parametrize(("function", "ids"), _LISTS)
@pytest.mark.parametrize(("query", "error"), REFUSED, ids=range(len(REFUSED)))
def test_a_limit_or_order_that_the_contract_does_not_have_is_refused(
    anybody: Client, function: str, ids: tuple[str, ...], query: str, error: object
) -> None:
    answer = refused(anybody, function, *ids, query=query)

    assert (answer.status, answer.body) == (400, error)


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("x", "x"),
        ("msg_", "msg_"),
        ("msg", "msg"),
        ("MSG_1", "MSG_1"),
        ("msg_a.b", "msg_a.b"),
        ("msg_a%20b", "msg_a b"),
        ("msg_a+b", "msg_a b"),
        ("msg_%00", "msg_\0"),
        ("msg_%C3%A9", "msg_é"),
        ("msg_%FF", "msg_\ufffd"),
        ("msg_%D9%A3", "msg_٣"),
        ("msg_a%23b", "msg_a#b"),
        ("msg_" + "a" * 125, "msg_" + "a" * 125),
        ("thread_1", "thread_1"),
    ],
)
def test_a_malformed_cursor_is_refused(anybody: Client, name: str, sent: str, read: str) -> None:
    answer = refused(anybody, "list_messages", NOWHERE, query=f"{name}={sent.format(name=name)}")

    assert (answer.status, answer.body) == (400, malformed_id(name, read, "msg"))


@pytest.mark.parametrize("name", ["after", "before"])
def test_a_cursor_of_threads_is_the_id_of_a_thread(anybody: Client, name: str) -> None:
    for value in ("x", "thread_", "msg_1", "runs", "thread_é"):
        answer = refused(anybody, "list_threads", query={name: value})
        assert (answer.status, answer.body) == (400, malformed_id(name, value, "thread"))


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("foreign", ["x", "a" * 124, "01arz3ndektsv4rrffq69g5fav", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "A-_"])
def test_a_cursor_of_a_foreign_form_that_is_not_known_is_not_found(client: Client, name: str, foreign: str) -> None:
    messages = client.call("list_messages", client.thread(), query={name: f"msg_{foreign}"})
    nowhere = client.call("list_messages", NOWHERE, query={name: f"msg_{foreign}"})
    thread_id = f"thread_{foreign}"[:128]
    threads = client.call("list_threads", query={name: thread_id})

    assert (messages.status, messages.body) == (404, no_message(f"msg_{foreign}"))
    assert (nowhere.status, nowhere.body) == (404, no_thread(NOWHERE))
    assert (threads.status, threads.body) == (404, no_thread(thread_id))


@pytest.mark.parametrize("run_id", ["a#b", "a b", "é", "r" * 129, "a,b"])
def test_a_run_id_that_cannot_be_one_is_refused(anybody: Client, run_id: str) -> None:
    answer = refused(anybody, "list_messages", NOWHERE, query={"run_id": run_id})

    assert (answer.status, answer.body) == (400, plain_id("run_id", run_id))


def test_messages_are_listed_by_one_run_only(anybody: Client) -> None:
    answer = refused(anybody, "list_messages", NOWHERE, query="run_id=run_1&run_id=run_2")

    assert (answer.status, answer.body) == (400, repeated("run_id"))


@pytest.mark.parametrize("name", ["metadata[other]", "metadata[]", "metadata[", "metadata[user_id]x", "metadata[\0]"])
def test_threads_are_listed_by_the_indexed_metadata_key_only(anybody: Client, name: str) -> None:
    answer = refused(anybody, "list_threads", query={name: "x"})

    error = invalid(name, "threads can be listed only by 'metadata[user_id]'.")
    assert (answer.status, answer.body) == (400, error)


@pytest.mark.parametrize("query", ["metadata[user_id]=", "metadata%5Buser_id%5D", "metadata[user_id]=&limit=3"])
def test_threads_are_not_listed_by_an_empty_value(anybody: Client, query: str) -> None:
    """If an empty value meant no filter, a client that forgot the value would get the threads of all users."""
    answer = refused(anybody, "list_threads", query=query)

    error = invalid("metadata[user_id]", "threads cannot be listed by an empty value.")
    assert (answer.status, answer.body) == (400, error)


def test_threads_are_listed_by_one_value_only(anybody: Client) -> None:
    answer = refused(anybody, "list_threads", query="metadata[user_id]=a&metadata%5Buser_id%5D=b")

    assert (answer.status, answer.body) == (400, repeated("metadata[user_id]"))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("metdata[user_id]=a", "metdata[user_id]"),
        ("user_id=a", "user_id"),
        ("user_id=", "user_id"),
        ("limit=1&metadata=x&limit=1", "metadata"),
        ("Metadata%5Buser_id%5D=a", "Metadata[user_id]"),
        ("run_id=run_1", "run_id"),
        ("Limit=0", "Limit"),
        ("API-Version=2", "API-Version"),
        ("=", ""),
        ("%zz=%&x=%ff", "%zz"),
        ("metadata[user_id]=a&foo=b", "foo"),
    ],
)
def test_a_misspelt_filter_does_not_list_the_threads_of_everybody(anybody: Client, query: str, name: str) -> None:
    answer = refused(anybody, "list_threads", query=query)

    assert (answer.status, answer.body) == (400, unknown(name))


def test_the_version_that_clients_of_azure_send_is_no_filter(client: Client) -> None:
    thread_id = client.thread(metadata={"user_id": "a"})

    for query in ("api-version=2024-05-01-preview", "api_version=1&api-version=2&metadata[user_id]=a"):
        assert [thread["id"] for thread in client.create("list_threads", query=query)["data"]] == [thread_id]


@pytest.mark.parametrize(
    "query",
    [
        "after=",
        "after=&before=&limit=&order=",
        "limit=&limit=",
        "limit=&limit=5&order=&order=desc",
        f"limit={'0' * 5_000}20",
        "&&&",
    ],
)
def test_an_empty_value_counts_as_absent(client: Client, query: str) -> None:
    thread_id = client.thread()
    created = client.message(thread_id)

    assert client.create("list_messages", thread_id, query=query)["data"] == [created]
    assert [thread["id"] for thread in client.create("list_threads", query=query)["data"]] == [thread_id]


@pytest.mark.parametrize(
    "query", ["run_id=", "foo=bar&foo=baz&metadata=x", "=", "%zz=%&x=%ff", "a=1;limit=0", "Limit=0&ORDER=x"]
)
def test_a_list_of_messages_ignores_unknown_keys(client: Client, query: str) -> None:
    thread_id = client.thread()
    created = client.message(thread_id)

    assert client.create("list_messages", thread_id, query=query)["data"] == [created]


def test_a_request_without_a_query_has_none(client: Client) -> None:
    from tests.support.client import invoke

    event = client.event("list_messages", client.thread())
    del event["rawQueryString"]

    assert invoke("list_messages", event).body["data"] == []


@pytest.mark.parametrize("limit", ["1", "100", "001", "00100"])
def test_a_limit_is_1_to_100(client: Client, limit: str) -> None:
    thread_id = client.thread(messages=[{"role": "user", "content": "a"}] * 2)

    listed = client.create("list_messages", thread_id, query={"limit": limit})

    assert len(listed["data"]) == min(int(limit), 2)
