"""Imports of threads that already exist, that are being erased, or that another import is writing."""

import time
from typing import Any

import pytest

from tests.support import expected, fault_injection, stored
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.event_sources import asked, erase, sweep
from tests.support.fault_injection import Fault
from tests.support.imported import THREAD, bring, brought, message, thread
from tests.transfer.commands import Killed, die

FILE = [thread(metadata={"user_id": "u"}), message("msg_a"), message("msg_b", run_id="run_1"), message("msg_c")]
WHOLE = expected.page(FILE[1:])
_BUSY = "is being erased or created, or has expired: import it again in some minutes"


def everything(client: Client) -> dict[str, Any]:
    """Return all items of the thread's partition by sort key, without the time of the import."""
    partition = f"{client.project}#{THREAD}"
    found = {sort: stored.item(partition, sort) for sort in stored.sort_keys(partition)}
    del found["head"]["activeAt"]
    return found


def run(client: Client, *objects: dict[str, Any], patience: float = 0) -> tuple[Any, list[tuple[int, str]], list[int]]:
    """Import objects. Return the counts, the refused lines, and the messages about waiting for other imports."""
    waited: list[int] = []
    counts, refused = bring(client, *objects, patience=patience, on_waiting=waited.append)
    return counts, refused, waited


def test_importing_twice_changes_nothing(client: Client) -> None:
    assert bring(client, *FILE) == ((1, 3, 0, 0), [])
    client.create("modify_thread", THREAD, body={"metadata": {"a": "b"}})
    client.create("delete_message", THREAD, "msg_b")
    client.create("modify_message", THREAD, "msg_c", body={"content": "edited"})
    created = client.message(THREAD)
    before = everything(client)

    assert bring(client, *FILE) == ((0, 0, 1, 0), [])

    assert everything(client) == before
    assert client.page(THREAD, limit=1)["data"] == [created]


def test_a_thread_that_is_there_is_left_alone(client: Client) -> None:
    """Otherwise an existing thread would get messages at positions that its readers have already passed."""
    live = client.create("create_thread")
    own = client.message(live["id"])

    counts, warned = bring(client, live, message("msg_a", thread_id=live["id"]), own)

    assert counts == (0, 0, 1, 1)
    assert warned == [(1, f"{live['id']} exists already, and 1 of its 2 messages here are not in it")]
    assert client.page(live["id"]) == expected.page([own])


def test_an_id_that_is_being_erased_is_refused_until_that_is_done(client: Client) -> None:
    brought(client, *FILE)
    client.create("delete_thread", THREAD)

    assert bring(client, *FILE) == ((0, 0, 0, 0), [(1, f"{THREAD} {_BUSY}")])

    erase(asked(f"{client.project}#{THREAD}"))
    assert bring(client, *FILE) == ((1, 3, 0, 0), [])


def test_a_thread_that_the_api_is_creating_is_refused(client: Client) -> None:
    live = client.create("create_thread")
    stored.change(f"{client.project}#{live['id']}", "head", state={"S": "pending"})

    assert bring(client, live) == ((0, 0, 0, 0), [(1, f"{live['id']} {_BUSY}")])


@pytest.mark.parametrize("operation", ["TransactWriteItems", "BatchWriteItem"])
@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("effect", [fault_injection.before, fault_injection.after], ids=["before", "after"])
def test_a_killed_import_leaves_nothing_to_be_seen_and_is_finished_by_the_next(
    client: Client, operation: str, at: int, effect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.transfer import staging

    other = Client()
    brought(other, *FILE)
    monkeypatch.setattr(staging, "_ITEMS_IN_ONE", 2)
    try:
        with fault_injection.inject(Fault(operation, effect(die), at=at)):
            run(client, *FILE)
        ended = True
    except Killed:
        ended = operation == "TransactWriteItems" and at == 2 and effect == fault_injection.after
    seen = client.call("list_messages", THREAD)
    assert (seen.status, seen.body) == (
        (200, expected.page(FILE[:0:-1])) if ended else (404, expected.no_thread(THREAD))
    )

    counts, refused, _ = run(client, *FILE)

    assert (counts, refused) == ((0, 0, 1, 0) if ended else (1, 3, 0, 0), [])
    assert client.page(THREAD, order="asc") == WHOLE
    theirs = {
        sort: item | {"threadId": {"S": f"{client.project}#{THREAD}"}} for sort, item in everything(other).items()
    }
    for found in (ours := everything(client), theirs):
        for sort in ("head", "thread"):  # the place in the lists, which is another in each project
            del found[sort]["ulid"], found[sort]["threadId"]
        del found["thread"]["entries"]
    assert ours == theirs
    assert client.create("list_threads", query={"metadata[user_id]": "u"}) == expected.page([FILE[0]])


def test_an_import_waits_for_another_that_is_alive(client: Client, clock: Clock) -> None:
    with pytest.raises(Killed), fault_injection.inject(Fault("BatchWriteItem", fault_injection.before(die))):
        run(client, *FILE)

    counts, refused, waited = run(client, *FILE, patience=2)

    assert (counts, refused) == ((1, 3, 0, 0), [])
    assert set(waited) == {1}
    assert sum(clock.slept) > 1
    assert client.page(THREAD, order="asc") == WHOLE


def test_an_import_that_was_taken_for_dead_stops_writing(client: Client) -> None:
    """Another run takes over while this one sleeps in the middle of its messages."""
    taken: list[Any] = []

    def take_over() -> None:
        taken.append(run(client, *FILE))
        client.create("modify_message", THREAD, "msg_c", body={"content": "edited"})

    # The second update is the renewal before the second batch.
    with pytest.MonkeyPatch.context() as patch:
        from tools.transfer import staging

        patch.setattr(staging, "_ITEMS_IN_ONE", 2)
        with fault_injection.inject(Fault("UpdateItem", fault_injection.before(take_over), at=2)):
            counts, refused, waited = run(client, *FILE)

    assert taken == [((1, 3, 0, 0), [], [])]
    assert (counts, refused, waited) == ((0, 0, 1, 0), [], [1])
    assert client.create("retrieve_message", THREAD, "msg_c")["content"] == [expected.text("edited")]


def test_an_import_that_was_taken_over_before_its_end_does_not_show_what_it_wrote(client: Client) -> None:
    def take_over() -> None:
        brought_by_another = run(client, *FILE)
        assert brought_by_another[0] == (1, 3, 0, 0)
        client.create("delete_thread", THREAD)
        erase(asked(f"{client.project}#{THREAD}"))

    # The first transaction puts the pending head, the second one opens it.
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(take_over), at=2)):
        counts, refused, waited = run(client, *FILE)

    assert (counts, refused, waited) == ((1, 3, 0, 0), [], [1])
    assert client.page(THREAD, order="asc") == WHOLE


def test_what_an_import_of_other_lines_left_behind_is_erased_first(client: Client) -> None:
    with pytest.raises(Killed), fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(die), at=2)):
        run(client, thread(metadata={"user_id": "x"}), message("msg_z"), message("msg_a", "other"))

    assert run(client, *FILE) == ((1, 3, 0, 0), [], [])

    assert client.page(THREAD, order="asc") == WHOLE
    assert stored.sort_keys(f"{client.project}#{THREAD}", "alias#") == ["alias#msg_a", "alias#msg_b", "alias#msg_c"]
    assert client.create("list_threads") == expected.page([FILE[0]])
    assert len(stored.sort_keys(f"{client.project}#threads")) == 1


@pytest.mark.parametrize(
    ("operation", "at"),
    [("TransactWriteItems", 1), ("TransactWriteItems", 2), ("BatchWriteItem", 1), ("UpdateItem", 1), ("GetItem", 1)],
)
@pytest.mark.parametrize("effect", [fault_injection.lost, fault_injection.throttle], ids=["lost", "throttle"])
def test_faults_of_the_table_are_not_seen(client: Client, operation: str, effect: Any, at: int) -> None:
    with pytest.raises(Killed), fault_injection.inject(Fault("BatchWriteItem", fault_injection.after(die))):
        run(client, thread(metadata={"user_id": "x"}), message("msg_z"))

    with fault_injection.inject(Fault(operation, effect, at=at, times=3)):
        counts, refused, _ = run(client, *FILE)

    assert (counts, refused) == ((1, 3, 0, 0), [])
    assert client.page(THREAD, order="asc") == WHOLE
    assert client.create("list_threads") == expected.page([FILE[0]])


def test_an_import_that_nobody_finishes_is_erased_by_the_sweep(client: Client) -> None:
    with pytest.raises(Killed), fault_injection.inject(Fault("TransactWriteItems", fault_injection.before(die), at=2)):
        run(client, *FILE)
    partition = f"{client.project}#{THREAD}"
    stored.change(partition, "head", activeAt={"N": str(int(time.time()) - 4_000)})

    sweep()
    assert stored.item(partition, "head")["state"] == {"S": "erasing"}
    erase(asked(partition))

    assert stored.sort_keys(partition) == []
    assert stored.sort_keys(f"{client.project}#threads") == []
