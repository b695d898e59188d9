"""Entries that wait for a function: when and how often they are delivered, and where they end.

The functions here are the test's own.
"""

import importlib
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tools.local import event_sources, sqs
from tools.local.backlog import Backlog
from tools.local.lambda_runtime import Runner
from tools.local.sqs import DeadLetter, Message, Queues
from tools.local.template import Function, Queue, Stream, Template

_HANDLERS = """
import threading

seen = []
both = threading.Barrier(2)

def queue_handler(event, context):
    record = event["Records"][0]
    count = record["attributes"]["ApproximateReceiveCount"]
    seen.append((record["body"], count, record["eventSourceARN"]))
    if record["body"] == "always" or (record["body"] == "twice" and int(count) < 3):
        raise ValueError(record["body"])

def meeting_handler(event, context):
    both.wait(float(event["Records"][0]["body"]))

def stream_handler(event, context):
    numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
    seen.append(numbers)
    if "bad" in numbers:
        return {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    if len(seen) == 1:
        return {"batchItemFailures": [{"itemIdentifier": numbers[1]}]}
"""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what the handlers below have been given."""
    (tmp_path / "queue_handlers.py").write_text(_HANDLERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "queue_handlers", raising=False)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(sqs, "_LONGEST_PAUSE", 0.01)
    found: list[Any] = importlib.import_module("queue_handlers").seen
    return found


def _runner(name: str) -> Runner:
    return Runner(Function("Own", f"queue_handlers.{name}", 3, 128, {}, ()))


def _serve(queues: Queues, queue: Queue, *bodies: str) -> list[Message]:
    messages = [queues.send(queue.name, body) for body in bodies]
    serving = threading.Thread(target=queues.serve, args=(queue, _runner("queue_handler")))
    serving.start()
    for message in messages:
        message.settled.result(20)
    queues.backlogs[queue.name].close(drop=False)
    serving.join()
    return messages


def test_a_message_is_delivered_again_until_it_succeeds(seen: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    queue = Queue("q", 0, 5, "dead")
    queues = Queues([queue])
    messages = _serve(queues, queue, "twice", "once")
    assert [message.settled.result() for message in messages] == [None, None]
    assert seen == [
        ("twice", "1", "arn:aws:sqs:us-east-1:123456789012:q"),
        ("once", "1", "arn:aws:sqs:us-east-1:123456789012:q"),
        ("twice", "2", "arn:aws:sqs:us-east-1:123456789012:q"),
        ("twice", "3", "arn:aws:sqs:us-east-1:123456789012:q"),
    ]
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition(" at ")[0] for line in lines] == ["Own raised ValueError"] * 2


@pytest.mark.parametrize(("concurrency", "seconds", "result"), [(1, "0.2", DeadLetter("dead", "0.2")), (2, "20", None)])
def test_a_queue_has_as_many_threads_as_its_concurrency(
    seen: list[Any], concurrency: int, seconds: str, result: DeadLetter | None
) -> None:
    """The handler succeeds only if it runs twice within these seconds."""
    queue = Queue("q", 0, 1, "dead", concurrency)
    function = Function("Own", "queue_handlers.meeting_handler", 3, 128, {}, (), queues=(queue,))
    described = Template(table={}, ttl_attribute="", queues=("q",), buses=(), functions=(function,))
    with event_sources.running(described, None, persistent=False) as side:
        messages = [side.queues.send("q", seconds) for _ in range(2)]
        assert [message.settled.result(20) for message in messages] == [result] * 2


def test_a_message_that_fails_too_often_is_a_dead_letter(seen: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    queue = Queue("q", 0, 2, "dead")
    queues = Queues([queue])
    (message,) = _serve(queues, queue, "always")
    assert message.settled.result() == DeadLetter("dead", "always")
    assert queues.dead_letters == [DeadLetter("dead", "always")]
    assert [count for _, count, _ in seen] == ["1", "2"]
    assert capsys.readouterr().err.endswith("dead letter in dead\n")


def test_a_delay_is_kept_until_the_end_comes() -> None:
    queue = Queue("q", 60, 2, "dead")
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
    queues = Queues([queue])
    backlog = queues.backlogs["q"]
    queues.send_message_batch({"QueueUrl": url, "Entries": [{"Id": "0", "MessageBody": "late"}]})
    queues.send_message_batch({"QueueUrl": url, "Entries": [{"Id": "0", "MessageBody": "now", "DelaySeconds": 0}]})
    assert [message.body for message in backlog.take(10)] == ["now"]
    backlog.close(drop=False)
    assert [message.body for message in backlog.take(10)] == ["late"]
    assert backlog.take(10) == []


def test_what_waits_may_be_dropped_at_the_end() -> None:
    backlog: Backlog[str] = Backlog()
    backlog.put("x")
    backlog.close(drop=True)
    backlog.put("late")
    backlog.close(drop=False)
    assert backlog.take(1) == []


def _feed(*numbers: str) -> None:
    backlog: Backlog[dict[str, Any]] = Backlog()
    for number in numbers:
        backlog.put({"dynamodb": {"SequenceNumber": number}})
    feeding = threading.Thread(target=event_sources._feed, args=(Stream((), 3), backlog, _runner("stream_handler")))
    feeding.start()
    while backlog._waiting:
        feeding.join(0.01)
    backlog.close(drop=False)
    feeding.join()


def test_a_stream_goes_on_at_the_record_that_failed(seen: list[Any]) -> None:
    _feed("1", "2", "3", "4")
    assert seen == [["1", "2", "3"], ["2", "3"], ["4"]]


def test_records_that_fail_for_good_are_given_up(seen: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    _feed("1", "bad", "3", "4")
    assert seen == [["1", "bad", "3"], *[["bad", "3"]] * 4, ["4"]]
    assert capsys.readouterr().err == "Own gave up 2 records of the stream\n"
