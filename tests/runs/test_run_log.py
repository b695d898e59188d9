"""What the worker logs about a run: template.yaml counts the lines of level ERROR for an alarm."""

from dataclasses import replace

import pytest

from shared.runs import execution, model
from shared.runs.records import RunSettings
from shared.runs.store import lifecycle, run_items, runs
from shared.runs.store.runs import NewRun
from shared.store import keys, table
from tests.support import fault_injection
from tests.support.chat_stub import Reply, fails, says
from tests.support.client import Client
from tests.support.fault_injection import Fault
from tests.support.runs import with_model
from tests.support.unit import anybody, client, each_module_tidy, each_test_tidy, on_the_table

__all__ = ["anybody", "client", "each_module_tidy", "each_test_tidy", "on_the_table"]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a retry follow at once."""
    monkeypatch.setattr(model, "_PAUSES", ())


def _executed(client: Client, reply: Reply, *, cancels: bool = False) -> None:
    thread_id = client.thread(messages=[{"role": "user", "content": "Hello"}])
    table.set_deadline()
    run, _ = runs.create(client.project, thread_id, NewRun("asst_1", RunSettings("m")), None)

    def cancel() -> None:
        table.set_deadline()
        lifecycle.cancel(client.project, thread_id, run.id)

    with with_model(replace(reply, before=cancel) if cancels else reply):
        execution.execute(keys.thread_partition(client.project, thread_id), run.id)


def _line(caplog: pytest.LogCaptureFixture) -> tuple[str, str]:
    """Return the level and the status of the one line about a run."""
    (line,) = [record for record in caplog.records if record.message == "run"]
    return line.levelname, vars(line)["status"]


@pytest.mark.parametrize(
    ("reply", "expected"), [(says("Hi"), ("INFO", "completed")), (fails(400), ("ERROR", "failed"))]
)
def test_a_failed_run_is_an_error(
    client: Client, caplog: pytest.LogCaptureFixture, reply: Reply, expected: tuple[str, str]
) -> None:
    _executed(client, reply)

    assert _line(caplog) == expected


def test_an_answer_that_comes_too_late_is_no_error(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    _executed(client, says("Hi"), cancels=True)

    assert _line(caplog) == ("INFO", "dropped")


def test_a_run_that_ends_with_its_thread_is_no_error(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    # Just after it was claimed.
    with fault_injection.inject(
        Fault("BatchGetItem", fault_injection.changed(lambda answer: answer["Responses"].clear()))
    ):
        _executed(client, says("Hi"))

    assert _line(caplog) == ("INFO", "deleted")


def test_a_run_that_expires_because_the_table_is_out_of_reach_is_an_error(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "_SECONDS_FOR_THE_STORE", 0.5)
    monkeypatch.setattr(run_items, "SECONDS_TO_EXPIRY", 2)
    monkeypatch.setattr(execution, "_RESERVE_SECONDS", 0)
    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.throttle, at=3, times=0)):
        _executed(client, says("Hi"))

    assert _line(caplog) == ("ERROR", "expired")
