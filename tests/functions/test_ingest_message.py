"""Ingest message: each command becomes one message, goes to a dead-letter queue, or is delivered again."""

import json
import logging
import os
import time
from typing import Any

import pytest

from tests.support import event_sources as queues
from tests.support import expected, fault_injection
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.expected import text
from tests.support.fault_injection import Fault
from tools.local import template

DAY = 86_400
RESOURCES = template.read()["Resources"]


def contents(client: Client, thread_id: str) -> list[str]:
    return [message["content"][0]["text"]["value"] for message in client.page(thread_id, order="asc")["data"]]


def visible(*, fifo: bool = False) -> list[str]:
    """Return the bodies of the messages that the queue would deliver now."""
    return [record["body"] for record in queues.take(fifo=fifo)]


def test_a_command_becomes_a_message(client: Client, clock: Clock) -> None:
    thread_id = client.thread()
    queues.put(queues.command(client, thread_id, "hi", metadata={"a": "1"}))

    assert queues.deliver() == []

    (message,) = client.page(thread_id)["data"]
    assert message == expected.message(thread_id, message["id"], int(time.time()), [text("hi")], metadata={"a": "1"})
    assert (visible(), queues.rejected()) == ([], [])


def test_a_command_may_say_what_a_trusted_key_may(client: Client, clock: Clock) -> None:
    thread_id = client.thread()
    note = {
        "type": "file_citation",
        "text": "[1]",
        "start_index": 0,
        "end_index": 3,
        "file_citation": {"file_id": "file-1", "quote": ""},
    }
    content = [
        {"type": "text", "text": {"value": "[1]", "annotations": [note]}},
        {"type": "refusal", "refusal": "no more"},
    ]
    said = {"assistant_id": "asst_1", "run_id": "run_1", "status": "incomplete"}
    details = {"incomplete_details": {"reason": "max_tokens"}}
    queues.put(queues.command(client, thread_id, content, role="assistant", **said, **details))

    assert queues.deliver() == []

    (message,) = client.page(thread_id, run_id="run_1")["data"]
    now = int(time.time())
    shown = {"role": "assistant", "incomplete_at": now, **said, **details}
    assert message == expected.message(thread_id, message["id"], now, content, **shown)


def test_a_command_is_carried_out_once_however_often_it_is_delivered(client: Client) -> None:
    thread_id = client.thread()
    command = queues.command(client, thread_id)
    reordered = dict(reversed(command.items()))
    for body in (command, command, reordered):
        queues.put(body)

    assert queues.deliver() == []
    queues.put(command)
    assert queues.deliver() == []

    assert contents(client, thread_id) == ["hello"]
    assert queues.rejected() == []


def test_a_command_is_remembered_longer_than_it_can_travel(client: Client, clock: Clock) -> None:
    thread_id = client.thread()
    command = queues.command(client, thread_id)
    queues.put(command)
    records = queues.take()
    queues.run(records)

    for days in (14, 14, 28, 33):
        clock.forward(days * DAY)
        assert queues.run(records) == []
    assert contents(client, thread_id) == ["hello"]

    clock.forward(2 * DAY)
    assert queues.run(records) == []
    assert contents(client, thread_id) == ["hello", "hello"]


def test_a_command_id_and_an_idempotency_key_never_meet(client: Client) -> None:
    thread_id = client.thread()
    client.create(
        "create_message", thread_id, body={"role": "user", "content": "a"}, headers={"idempotency-key": "same"}
    )
    queues.put(queues.command(client, thread_id, "b", command_id="same"))

    assert queues.deliver() == []

    assert contents(client, thread_id) == ["a", "b"]


def test_an_event_of_a_rule_is_taken_whole(client: Client) -> None:
    thread_id = client.thread()
    command = queues.command(client, thread_id)
    queues.put({"version": "0", "source": "my.app", "detail-type": "answer", "resources": [], "detail": command})
    queues.put(command)

    assert queues.deliver() == []

    assert contents(client, thread_id) == ["hello"]


EMPTY = expected.error("Message content must be non-empty.", "content")
UNFINISHED = expected.not_json("expecting property name enclosed in double quotes", 2)
NO_THREAD = "thread_01ARZ3NDEKTSV4RRFFQ69G5FAV"
NOTIFICATION = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:answers", "Message": "{}"}
WRAPPED = expected.error(
    "The command is wrapped in an SNS notification. Turn on raw message delivery for the queue's subscription, so that "
    "the queue receives the command itself.",
    "Message",
    "invalid_value",
)


def detail(got: str) -> dict[str, Any]:
    """Return the error for an event whose detail is not a command."""
    hint = (
        "Make the event's detail the command itself, not a JSON text of it, or use raw delivery: send only the command "
        "to the queue."
    )
    message = f"Invalid type for 'detail': expected an object, but got {got} instead. {hint}"
    return expected.error(message, "detail", "invalid_type")


def project(name: str) -> dict[str, Any]:
    """Return the error for a project that cannot be one."""
    rule = "Expected 1 to 63 lower-case letters, digits and '-', without a '-' at the beginning."
    rule += " The name 'key' is reserved."
    return expected.invalid("project", f"'{name}'. {rule}")


REJECTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "no JSON": ("{", UNFINISHED),
    "no object": ("[1]", expected.not_parsed("it is an array")),
    "empty array": ("[]", expected.missing("command_id")),
    "too deep": ('{"a":' * 70 + "1" + "}" * 70, expected.not_parsed("it is nested too deeply")),
    "nothing": (" ", expected.missing("command_id")),
    "an SNS notification": (json.dumps(NOTIFICATION), WRAPPED),
    "an event in an SNS notification": (json.dumps(NOTIFICATION | {"detail-type": "x", "detail": "{}"}), WRAPPED),
    "an event whose detail is a string": (json.dumps({"detail-type": "x", "detail": "{}"}), detail("a string")),
    "an event without a detail": (json.dumps({"detail-type": "x"}), detail("null")),
    "an event of something else": (json.dumps({"detail-type": "x", "detail": {}}), expected.missing("command_id")),
    "no command id": ({"command_id": None}, expected.wrong_type("command_id", "a string", "null")),
    "empty command id": ({"command_id": ""}, expected.empty("command_id")),
    "long command id": ({"command_id": "x" * 256}, expected.too_long("command_id", 255, 256)),
    "surrogate": ({"command_id": "\ud800"}, expected.surrogate("command_id")),
    "no project": ({"project": 1}, expected.wrong_type("project", "a string", "an integer")),
    "another form of project": ({"project": "Alpha#"}, project("Alpha#")),
    "reserved project": ({"project": "key"}, project("key")),
    "surrogate in the project": ({"project": "\ud800"}, expected.surrogate("project")),
    "another form of thread": ({"thread_id": "msg_1"}, expected.malformed_id("thread_id", "msg_1", "thread")),
    "long thread": ({"thread_id": "thread_" + "x" * 122}, expected.too_long("thread_id", 128, 129)),
    "another form of run": ({"role": "assistant", "run_id": "a#b"}, expected.plain_id("run_id", "a#b")),
    "no details": ({"role": "assistant", "status": "incomplete"}, expected.missing("incomplete_details")),
    "unknown project": ({"project": "nobody"}, expected.no_thread("THREAD")),
    "unknown thread": ({"thread_id": NO_THREAD}, expected.no_thread(NO_THREAD)),
    "unknown field": ({"x": 1}, expected.unknown("x")),
    "role": ({"role": "system"}, expected.unsupported("role", "system", "'user' and 'assistant'")),
    "no role": ({"role": ...}, expected.missing("role")),
    "empty content": ({"content": ""}, EMPTY),
    "long content": ({"content": "x" * 256_001}, expected.too_long("content", 256_000, 256_001)),
    "a user's run": ({"run_id": "run_1"}, expected.unknown("run_id")),
}


@pytest.mark.parametrize("case", REJECTIONS)
def test_a_command_that_can_never_succeed_goes_to_the_dead_letters(client: Client, case: str) -> None:
    thread_id = client.thread()
    changed, error = REJECTIONS[case]
    if isinstance(changed, dict):
        command = queues.command(client, thread_id) | changed
        changed = {name: value for name, value in command.items() if value is not ...}
    body = changed if isinstance(changed, str) else json.dumps(changed)
    queues.put(body)

    assert queues.deliver() == []

    assert (visible(), contents(client, thread_id)) == ([], [])
    assert queues.rejected() == [(body, json.loads(json.dumps(error).replace("THREAD", thread_id)))]


def test_a_command_id_with_another_body_is_rejected(client: Client) -> None:
    thread_id = client.thread()
    queues.put(queues.command(client, thread_id, "a", command_id="same"))
    queues.deliver()
    other = queues.command(client, thread_id, "b", command_id="same")
    queues.put(other)

    assert queues.deliver() == []

    message = "Invalid 'command_id': 'same' was already used in this thread by a command with other content."
    reused = expected.error(message, "command_id", "command_id_reused")
    assert queues.rejected() == [(json.dumps(other), reused)]
    assert contents(client, thread_id) == ["a"]


def test_a_command_for_a_deleted_thread_is_rejected(client: Client) -> None:
    thread_id = client.thread()
    command = queues.command(client, thread_id)
    queues.put(command)
    client.create("delete_thread", thread_id)

    assert queues.deliver() == []

    assert queues.rejected() == [(json.dumps(command), expected.no_thread(thread_id))]


def test_a_command_that_cannot_be_stored_is_rejected(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.store import items

    monkeypatch.setattr(items, "_STORED_BYTES", 1)
    command = queues.command(client, client.thread())
    queues.put(command)

    assert queues.deliver() == []

    assert queues.rejected() == [(json.dumps(command), expected.TOO_LARGE)]


@pytest.mark.parametrize("room", [True, False])
def test_a_rejection_comes_without_its_error_where_there_is_no_room(client: Client, room: bool) -> None:
    error = expected.not_json("expecting value", 1)
    left = 1_048_576 - len(json.dumps(error)) - len("error") - len("String")
    body = "é" + "x" * (left - 2 + (not room))

    assert queues.run([queues.queued(body, "1")]) == []

    assert queues.rejected() == [(body, error if room else None)]


def test_a_throttled_table_is_waited_for(client: Client, clock: Clock) -> None:
    thread_id = client.thread()
    command = queues.command(client, thread_id)
    queues.put(command)

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.throttle, times=0)):
        assert queues.deliver() == [json.dumps(command)]

    assert (visible(), queues.rejected(), contents(client, thread_id)) == ([], [], [])
    queues.wait()
    assert queues.deliver() == []
    assert contents(client, thread_id) == ["hello"]


def test_a_fault_of_ours_is_waited_for_and_tells_no_content(
    client: Client, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    thread_id = client.thread()
    command = queues.command(client, thread_id, "a secret")
    queues.put(command)

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"))):
        assert queues.deliver() == [json.dumps(command)]

    assert queues.rejected() == []
    (line,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert line.getMessage() == "command"
    assert "AccessDeniedException" in str(vars(line))
    assert "secret" not in str(vars(line))


def test_a_dead_letter_queue_out_of_reach_is_waited_for(client: Client, clock: Clock) -> None:
    from shared import clients

    queues.put("{")
    with fault_injection.inject(
        Fault("SendMessage", fault_injection.error("AccessDenied"), times=0), client=clients.sqs()
    ):
        assert queues.deliver() == ["{"]
    assert queues.rejected() == []
    queues.wait()

    assert queues.deliver() == []

    assert queues.rejected() == [("{", UNFINISHED)]


def test_a_command_that_fails_is_tried_for_as_long_as_its_queue_keeps_it(client: Client) -> None:
    from shared import inbound

    for name in ("Commands", "FifoCommands"):
        queue = RESOURCES[name]["Properties"]
        deliveries = queue["RedrivePolicy"]["maxReceiveCount"]
        assert deliveries * inbound._LONGEST_PAUSE_SECONDS > queue["MessageRetentionPeriod"]


def test_a_command_that_fails_for_an_hour_raises_an_alarm(client: Client) -> None:
    """Neither Lambda's errors nor the age of the queue show a command that is delivered again and again."""
    from shared import inbound

    counted, alarm = (RESOURCES[name]["Properties"] for name in ("FailedCommands", "CommandsFail"))
    (metric,) = counted["MetricTransformations"]

    assert counted["LogGroupName"] == RESOURCES["IngestMessage"]["Properties"]["LoggingConfig"]["LogGroup"]
    assert counted["FilterPattern"] == '{ ($.level = "ERROR") && ($.message = "command") }'
    assert (alarm["Namespace"], alarm["MetricName"]) == (metric["MetricNamespace"], metric["MetricName"])
    assert alarm["Period"] > inbound._LONGEST_PAUSE_SECONDS
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 3_600


@pytest.mark.parametrize(("received", "seconds"), [(1, 2), (5, 32), (9, 512), (10, 1024), (11, 1300), (999, 1300)])
def test_a_failed_command_comes_back_sooner_than_after_a_crash(client: Client, received: int, seconds: int) -> None:
    from shared import clients

    queues.put(queues.command(client, client.thread()))
    (record,) = queues.take()
    record["attributes"]["ApproximateReceiveCount"] = str(received)
    denied = Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"))

    with fault_injection.inject(denied), fault_injection.inject(client=clients.sqs()) as attempts:
        assert queues.run([record]) == [record["messageId"]]

    assert attempts.log == [
        (
            "ChangeMessageVisibilityBatch",
            {
                "QueueUrl": os.environ["COMMANDS_URL"],
                "Entries": [{"Id": "0", "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": seconds}],
            },
        )
    ]


def test_a_failed_command_comes_back_even_if_the_queue_cannot_be_told_when(client: Client, clock: Clock) -> None:
    from shared import clients

    queues.put(queues.command(client, client.thread()))
    denied = Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"))
    unheard = Fault("ChangeMessageVisibilityBatch", fault_injection.error("AccessDenied"))

    with fault_injection.inject(denied), fault_injection.inject(unheard, client=clients.sqs()):
        assert len(queues.deliver()) == 1


def test_in_a_fifo_queue_a_thread_waits_for_its_failed_command_and_others_go_on(client: Client, clock: Clock) -> None:
    first, second = client.thread(), client.thread()
    for content in ("1", "2", "3"):
        for thread_id in (first, second):
            queues.put(queues.command(client, thread_id, content), group=thread_id)

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"))):
        again = queues.deliver(fifo=True)

    assert [(json.loads(body)["thread_id"], json.loads(body)["content"]) for body in again] == [
        (first, "1"),
        (first, "2"),
        (first, "3"),
    ]
    assert (contents(client, first), contents(client, second)) == ([], ["1", "2", "3"])
    queues.wait()
    assert queues.deliver(fifo=True) == []
    assert contents(client, first) == ["1", "2", "3"]


def test_in_a_fifo_queue_a_rejected_command_holds_up_nothing(client: Client) -> None:
    thread_id = client.thread()
    commands = [queues.command(client, thread_id, content) for content in ("1", "", "3")]
    for command in commands:
        queues.put(command, group=thread_id)

    assert queues.deliver(fifo=True) == []

    assert (visible(fifo=True), contents(client, thread_id)) == ([], ["1", "3"])
    assert queues.rejected(fifo=True) == [(json.dumps(commands[1]), EMPTY)]


def test_in_the_standard_queue_a_group_has_no_meaning(client: Client, clock: Clock) -> None:
    thread_id = client.thread()
    for content in ("1", "2"):
        queues.put(queues.command(client, thread_id, content))
    records = queues.take()
    for record in records:
        record["attributes"]["MessageGroupId"] = "tenant"

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.error("AccessDeniedException"))):
        again = queues.run(records)

    assert again == [records[0]["messageId"]]
    assert len(contents(client, thread_id)) == 1


def test_a_rejection_is_no_error_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="message-api")
    queues.put(queues.command(client, client.thread(), ""))

    queues.deliver()

    line = caplog.records[-1]
    assert (line.levelname, line.message, vars(line)["status"]) == ("INFO", "command", 400)
