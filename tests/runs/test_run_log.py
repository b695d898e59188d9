"""What the worker logs about a run: template.yaml counts the lines of level ERROR for an alarm."""

from dataclasses import replace

import pytest

from tests.support import fault_injection
from tests.support.chat_stub import Chat, Reply, fails, says
from tests.support.clock import Clock
from tests.support.fault_injection import Fault
from tests.support.runs import Runs, work

# Just after the worker has claimed the run.
DELETED = Fault("BatchGetItem", fault_injection.changed(lambda answer: answer["Responses"].clear()))
OUT_OF_REACH = Fault("TransactWriteItems", fault_injection.throttle, times=0)


def _line(caplog: pytest.LogCaptureFixture) -> tuple[str, str]:
    """Return the level and the status of the one line about a run."""
    (line,) = [record for record in caplog.records if record.message == "run"]
    return line.levelname, vars(line)["status"]


@pytest.mark.parametrize(
    ("reply", "faults", "expected"),
    [
        (says("Hi"), [], ("INFO", "completed")),
        (fails(400), [], ("ERROR", "failed")),
        (says("Hi"), [DELETED], ("INFO", "deleted")),
        (says("Hi"), [OUT_OF_REACH], ("ERROR", "expired")),
    ],
    ids=["completed", "failed", "its thread is gone", "the table is out of reach"],
)
def test_a_run_that_failed_or_cannot_be_ended_is_an_error(
    *,
    runs: Runs,
    chat: Chat,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
    faults: list[Fault],
    expected: tuple[str, str],
) -> None:
    chat.replies = [reply]
    run = runs.run(runs.thread(), runs.assistant())

    with fault_injection.inject(*faults):
        work(runs.client.project, run)

    assert _line(caplog) == expected


def test_an_answer_that_comes_too_late_is_no_error(runs: Runs, chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    cancel = (run["thread_id"], run["id"])
    chat.replies = [replace(says("Hi"), before=lambda: runs.create("cancel_run", *cancel))]

    runs.execute(run)

    assert _line(caplog) == ("INFO", "dropped")
