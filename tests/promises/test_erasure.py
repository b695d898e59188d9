"""A deleted thread returns 404 at once. All of its items are erased soon after, whatever fails in between."""

import contextlib
import random
import threading

import pytest

from tests.promises import calls
from tests.promises.threads import age, assert_gone, full, incompressible, listed, remains
from tests.support import event_sources
from tests.support.client import Client
from tests.support.event_sources import Erasures
from tests.support.filled import USER
from tools.local import template

LARGE = incompressible(seed=1)


def _delete(client: Client, thread_id: str) -> None:
    deleted = {"id": thread_id, "object": "thread.deleted", "deleted": True}
    assert client.create("delete_thread", thread_id) == deleted


def test_a_deleted_thread_is_gone_at_once_for_every_operation(trusted: Client) -> None:
    thread_id = full(trusted, "small")
    message_id = trusted.page(thread_id)["data"][0]["id"]
    _delete(trusted, thread_id)
    assert_gone(trusted, thread_id, message_id)


def test_all_that_a_deleted_thread_held_is_erased(trusted: Client, erasures: Erasures) -> None:
    kept = full(trusted, LARGE)
    before = remains(trusted, kept)
    thread_id = full(trusted, LARGE)
    held = {name.partition("#")[0].partition("_")[0] for name in remains(trusted, thread_id)}
    assert held == {"head", "thread", "msg", "once", "part", "run", trusted.project}
    _delete(trusted, thread_id)
    erasures.run()
    assert remains(trusted, thread_id) == []
    assert remains(trusted, kept) == before
    assert listed(trusted) == [kept]


def test_nothing_but_deletions_and_large_contents_comes_through_the_filters(
    trusted: Client, erasures: Erasures
) -> None:
    thread_id = full(trusted, "small")
    message = trusted.message(thread_id, "state erasing", metadata={"state": "erasing"})
    trusted.create("modify_message", thread_id, message["id"], body={"metadata": {"a": "b"}})
    trusted.create("delete_message", thread_id, message["id"])
    trusted.create("modify_thread", thread_id, body={"metadata": {"user_id": "other"}})
    assert erasures.records() == []


def test_erasures_wait_longer_than_any_function_runs(trusted: Client, erasures: Erasures) -> None:
    functions = {function.name: function for function in template.load().functions}
    timeouts = [function.timeout for function in functions.values() if function.routes]
    assert functions["EraseThread"].queues[0].delay > max(timeouts)
    thread_id = trusted.thread()
    _delete(trusted, thread_id)
    event_sources.queue_records(erasures.records())
    assert [list(entry) for entry in erasures.sent] == [["Id", "MessageBody"]]


@pytest.mark.parametrize("done", [False, True], ids=["before the call", "after the call"])
@pytest.mark.parametrize("lost", [False, True], ids=["delivered again", "lost"])
def test_the_eraser_may_be_killed_at_every_step(trusted: Client, erasures: Erasures, done: bool, lost: bool) -> None:
    for step in range(100):
        thread_id = full(trusted, LARGE)
        erasures.run()  # the rest of the previous round
        _delete(trusted, thread_id)
        event_sources.queue_records(erasures.records())
        was_killed = calls.killed(step, erasures.erase, done=done)
        if lost:
            erasures.queue.clear()
            if remains(trusted, thread_id):
                age(trusted, thread_id, 3_601)
            event_sources.sweep_project(trusted)
        erasures.erase()
        assert remains(trusted, thread_id) == []
        if not was_killed:
            break
    assert step == 5  # read the head, find the other items, delete them, read the thread, delete thread and head


def test_what_is_delivered_twice_does_no_harm(trusted: Client, erasures: Erasures) -> None:
    thread_id, kept = full(trusted, LARGE), full(trusted, LARGE)
    before = remains(trusted, kept)
    _delete(trusted, thread_id)
    records = erasures.records()
    for _ in range(2):
        event_sources.queue_records(records * 2)
        erasures.erase()
    assert remains(trusted, thread_id) == []
    assert remains(trusted, kept) == before


@pytest.mark.parametrize("what", ["create_message", "modify_message", "edit", "delete_message", "modify_thread"])
def test_a_thread_that_is_erased_during_any_step_of_a_write_leaves_nothing(
    trusted: Client, erasures: Erasures, what: str
) -> None:
    operation = "modify_message" if what == "edit" else what
    for step in range(100):
        thread_id = trusted.thread()
        message_id = trusted.message(thread_id)["id"]
        ids, body = {
            "create_message": ((thread_id,), {"role": "assistant", "content": "late", "run_id": "run_1"}),
            "modify_message": ((thread_id, message_id), {"metadata": {"a": "b"}}),
            "edit": ((thread_id, message_id), {"content": LARGE}),
            "delete_message": ((thread_id, message_id), None),
            "modify_thread": ((thread_id,), {"metadata": {"user_id": USER}}),
        }[what]

        def erase(thread_id: str = thread_id) -> None:
            _delete(trusted, thread_id)
            erasures.run()

        with calls.at(step, erase) as happened:
            answer = trusted.call(operation, *ids, body=body)
        if not happened:
            break
        assert answer.error[0] == 404
        assert remains(trusted, thread_id) == []
    assert step >= 1


def test_a_thread_that_is_modified_during_any_step_of_its_erasure_leaves_nothing(
    trusted: Client, erasures: Erasures
) -> None:
    from shared.store import items, keys, table, threads

    for step in range(100):
        thread_id = trusted.thread()
        # A modify that read the thread before its deletion, and writes only now.
        seen = threads._require(keys.thread_partition(trusted.project, thread_id))
        modified = items.thread(seen, thread_id)._replace(metadata=f'{{"user_id":"{USER}"}}')
        late = threads._changes(trusted.project, seen, modified)

        def write(late: list[table.Write] = late) -> None:
            with contextlib.suppress(table.CancelledError):
                table.transact(late)

        _delete(trusted, thread_id)
        event_sources.queue_records(erasures.records())
        with calls.at(step, write) as happened:
            erasures.erase()
        assert remains(trusted, thread_id) == []
        if not happened:
            break
    assert step > 3


def test_creates_that_race_the_delete_leave_nothing(trusted: Client, erasures: Erasures, seed: int) -> None:
    for round_ in range(10):
        rng = random.Random(f"{seed}-{round_}")
        thread_id = trusted.thread(metadata={"user_id": USER})
        statuses: set[int] = set()

        def write(pause: float, thread_id: str = thread_id, statuses: set[int] = statuses) -> None:
            with_run = {"role": "assistant", "content": "x", "run_id": "run_1"}
            while (answer := trusted.call("create_message", thread_id, body=with_run)).status == 200:
                threading.Event().wait(pause)
            statuses.add(answer.status)

        writers = [threading.Thread(target=write, args=(rng.uniform(0, 0.003),)) for _ in range(3)]
        for writer in writers:
            writer.start()
        threading.Event().wait(rng.uniform(0, 0.05))
        _delete(trusted, thread_id)
        erasures.run()  # at once: not even the queue's delay is needed
        for writer in writers:
            writer.join()
        assert statuses == {404}
        assert remains(trusted, thread_id) == []
