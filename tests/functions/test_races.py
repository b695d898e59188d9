"""Events between two steps of an operation: other writers, and reads that show half of a commit."""

from typing import Any

import pytest

from tests.promises.threads import incompressible
from tests.support import expected, fault_injection, stored
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.expected import no_message, no_thread
from tests.support.fault_injection import Fault

_LARGE = incompressible(seed=1)


def _hide(sort: str, *, times: int = 1, operation: str = "BatchGetItem") -> Fault:
    """Return a fault that hides items from a read, if their sort key begins with this prefix."""
    return Fault(operation, fault_injection.hiding(sort), times=times)


def test_a_message_that_a_batch_does_not_show_yet_is_read_again(client: Client) -> None:
    thread_id = client.thread()
    message = client.message(thread_id)

    with fault_injection.inject(_hide("msg_")):
        assert client.create("retrieve_message", thread_id, message["id"]) == message
    with fault_injection.inject(_hide("thread")):
        assert client.create("retrieve_thread", thread_id)["id"] == thread_id


def test_a_thread_without_its_item_is_not_found(client: Client) -> None:
    """The last step of an erasure removes the thread's item, and a batch may still show the head."""
    thread_id = client.thread()
    remove = fault_injection.before(lambda: stored.remove(f"{client.project}#{thread_id}", "thread"))

    with fault_injection.inject(Fault("BatchGetItem", remove)):
        answer = client.call("retrieve_thread", thread_id)

    assert (answer.status, answer.body) == (404, no_thread(thread_id))
    assert client.create("list_threads") == expected.page([])


def test_an_entry_of_a_thread_that_is_erased_meanwhile_is_none(client: Client) -> None:
    kept, erased = client.thread(), client.thread()
    remove = fault_injection.before(lambda: stored.remove(f"{client.project}#{erased}", "head", "thread"))

    with fault_injection.inject(Fault("BatchGetItem", remove)):
        listed = client.create("list_threads")["data"]

    assert [thread["id"] for thread in listed] == [kept]


@pytest.mark.parametrize(
    ("function", "operation"),
    [("modify_message", "UpdateItem"), ("delete_message", "DeleteItem"), ("delete_message", "TransactWriteItems")],
)
def test_whoever_comes_second_after_a_delete_does_not_find_the_message(
    trusted: Client, function: str, operation: str
) -> None:
    thread_id = trusted.thread()
    run_id = "r" if operation == "TransactWriteItems" else None
    message_id = trusted.message(thread_id, role="assistant", run_id=run_id)["id"]
    delete = fault_injection.before(lambda: trusted.create("delete_message", thread_id, message_id))

    with fault_injection.inject(Fault(operation, delete)):
        answer = trusted.call(function, thread_id, message_id, body={"metadata": {"a": "b"}})

    assert (answer.status, answer.body) == (404, no_message(message_id))
    assert trusted.page(thread_id) == expected.page([])


@pytest.mark.parametrize("function", ["create_message", "delete_thread"])
def test_whoever_comes_second_after_a_delete_does_not_find_the_thread(client: Client, function: str) -> None:
    thread_id = client.thread()
    delete = fault_injection.before(lambda: client.create("delete_thread", thread_id))
    operation = "TransactWriteItems" if function == "create_message" else "UpdateItem"

    with fault_injection.inject(Fault(operation, delete)):
        answer = client.call(function, thread_id, body=expected.ROLE_USER)

    assert (answer.status, answer.body) == (404, no_thread(thread_id))


def test_a_modified_thread_is_read_again_before_it_is_modified(client: Client) -> None:
    thread_id = client.thread()
    other = fault_injection.before(
        lambda: client.create("modify_thread", thread_id, body={"tool_resources": {"a": 1}, "metadata": {"x": "y"}})
    )

    with fault_injection.inject(Fault("TransactWriteItems", other)) as attempts:
        answer = client.create("modify_thread", thread_id, body={"metadata": {"a": "b"}})

    assert (answer["metadata"], answer["tool_resources"]) == ({"a": "b"}, {"a": 1})
    assert attempts.operations.count("TransactWriteItems") == 2
    assert client.create("retrieve_thread", thread_id) == answer


def test_a_create_that_others_overtook_takes_the_next_id(client: Client, clock: Clock) -> None:
    thread_id = client.thread()
    overtaken: list[dict[str, Any]] = []

    def overtake() -> None:
        clock.forward(5)
        overtaken.append(client.message(thread_id, "first"))
        clock.forward(-5)

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(overtake))) as attempts:
        message = client.message(thread_id, "second")

    assert attempts.operations.count("TransactWriteItems") == 2
    assert message["created_at"] == overtaken[0]["created_at"]
    assert client.page(thread_id)["data"] == [message, *overtaken]


@pytest.mark.parametrize("function", ["retrieve_message", "modify_message", "list_messages"])
def test_a_large_message_that_is_deleted_while_it_is_read_is_gone(client: Client, function: str) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id, _LARGE)["id"]
    ids = [thread_id] if function == "list_messages" else [thread_id, message_id]

    erase = fault_injection.before(lambda: stored.remove(f"{client.project}#{thread_id}", "msg_", "part#"))
    # A retrieve reads head and message first; the parts come in the next batch.
    at = 2 if function == "retrieve_message" else 1
    with fault_injection.inject(Fault("BatchGetItem", erase, at=at)):
        answer = client.call(function, *ids, body={"metadata": {"a": "b"}})

    if function == "list_messages":
        assert (answer.status, answer.body) == (200, expected.page([]))
    else:
        assert (answer.status, answer.body) == (404, no_message(message_id))


def test_a_large_message_whose_parts_are_not_visible_yet_is_read_again(client: Client) -> None:
    thread_id = client.thread()
    message = client.message(thread_id, _LARGE)

    with fault_injection.inject(_hide("part#", times=3)):
        assert client.create("retrieve_message", thread_id, message["id"]) == message


def test_a_page_whose_messages_are_all_deleted_while_they_are_read_goes_on(trusted: Client) -> None:
    """If a page were empty although the list goes on, a reader's loop would end."""
    thread_id = trusted.thread()
    messages = [trusted.message(thread_id, role="assistant", run_id="r") for _ in range(6)]

    def delete() -> None:
        for message in messages[2:]:
            trusted.create("delete_message", thread_id, message["id"])

    with fault_injection.inject(Fault("BatchGetItem", fault_injection.before(delete))):
        page = trusted.page(thread_id, run_id="r", limit=2)

    assert page == expected.page(messages[1::-1])


@pytest.fixture(scope="module", params=[None, "r"], ids=["all", "of a run"])
def four(request: pytest.FixtureRequest, on_the_table: None) -> tuple[Client, str, dict[str, str], list[str]]:
    """Return a client, a thread, the query for its run if any, and the ids of its four messages."""
    client = Client(trusted=True)
    thread_id = client.thread()
    ids = [client.message(thread_id, role="assistant", run_id=request.param)["id"] for _ in range(4)]
    return client, thread_id, {"run_id": request.param} if request.param else {}, ids


@pytest.mark.parametrize("hidden", range(4))
@pytest.mark.parametrize("query", [{}, {"order": "asc"}, {"limit": 2}, {"limit": 2, "order": "asc"}])
def test_a_message_that_a_query_does_not_show_yet_stands_in_its_place(
    four: tuple[Client, str, dict[str, str], list[str]], hidden: int, query: dict[str, Any]
) -> None:
    client, thread_id, run, ids = four
    whole = client.page(thread_id, **query, **run)
    prefix = "run#r#" if run else ""

    with fault_injection.inject(_hide(prefix + ids[hidden], operation="Query")):
        page = client.page(thread_id, **query, **run)

    shown = [message["id"] for message in page["data"]]
    assert shown == [message["id"] for message in whole["data"]][: len(shown)]
    assert shown
    assert page["has_more"] or len(shown) == len(ids)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_message_above_the_head_waits_for_the_next_page(client: Client, order: str) -> None:
    """The Query shows a commit that the head does not have yet."""
    thread_id = client.thread()
    first = client.message(thread_id)
    head: list[Any] = []

    def remember(answer: dict[str, Any]) -> None:
        head.append(answer["Item"])

    with fault_injection.inject(Fault("GetItem", fault_injection.changed(remember))):
        client.page(thread_id)
    second = client.message(thread_id)

    with fault_injection.inject(Fault("GetItem", fault_injection.changed(lambda answer: answer.update(Item=head[0])))):
        page = client.page(thread_id, order=order)
    following = client.page(thread_id, order="asc", after=page["last_id"])

    assert page["data"] == [first]
    assert following["data"] == [second]


def test_an_entry_of_a_run_may_be_visible_before_its_message(trusted: Client) -> None:
    thread_id = trusted.thread()
    messages = [trusted.message(thread_id, role="assistant", run_id="r") for _ in range(2)]

    with fault_injection.inject(_hide("msg_")):
        assert trusted.page(thread_id, run_id="r") == expected.page(messages[::-1])
    partition = f"{trusted.project}#{thread_id}"
    # An entry whose message is deleted does not count. A read with a conflict is repeated.
    stored.remove(partition, messages[0]["id"])
    with fault_injection.inject(Fault("TransactGetItems", fault_injection.conflict)):
        assert trusted.page(thread_id, run_id="r") == expected.page(messages[1:])
