"""The alarm: it interrupts a call that does not end, and nothing else."""

import threading
import time

import pytest

from tests import expected, faults
from tests.client import Client
from tests.faults import Attempt, Fault, Outcome


def test_a_call_that_does_not_end_is_interrupted() -> None:
    from shared.store import alarm

    alarm.ring_in(0.05)
    with pytest.raises(alarm.NoEndError), alarm.may_ring():
        time.sleep(10)


def test_what_is_no_call_is_left_alone() -> None:
    from shared.store import alarm

    alarm.ring_in(0.02)
    time.sleep(0.1)
    with alarm.may_ring():
        time.sleep(0.01)


def test_another_thread_neither_sets_the_alarm_nor_is_interrupted() -> None:
    from shared.store import alarm

    ended: list[bool] = []

    def wait() -> None:
        alarm.ring_in(0)
        with alarm.may_ring():
            time.sleep(0.1)
        ended.append(True)

    alarm.ring_in(0.03)
    beside = threading.Thread(target=wait)
    beside.start()
    beside.join()
    assert ended == [True]


def test_a_request_whose_call_does_not_end_is_a_503(client: Client) -> None:
    from shared.store import alarm

    client.call("list_threads")

    def drip(_attempt: Attempt) -> Outcome:
        alarm.ring_in(0.05)
        time.sleep(10)
        raise AssertionError

    with faults.inject(Fault("Query", drip)):
        answer = client.call("list_threads")

    assert (answer.status, answer.body) == (503, expected.BUSY)


def test_work_beside_that_does_not_end_is_not_waited_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import table

    thread_id, blocked = client.thread(), threading.Event()

    def drip(attempt: Attempt) -> Outcome:
        blocked.wait(10)
        return attempt.send()

    monkeypatch.setattr(table, "_SECONDS_FOR_A_CALL", -11.9)
    with faults.inject(Fault("GetItem", drip)):
        answer = client.call("list_messages", thread_id)
        blocked.set()

    assert (answer.status, answer.body) == (503, expected.BUSY)
