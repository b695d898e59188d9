"""`events replay`: which events it publishes. They equal those that were published before."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import Result

from tests.support import fault_injection, program, stream
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.fault_injection import Attempts, Fault
from tests.support.runs import Runs
from tests.support.variables import VARIABLES

HERE = ("--table", "message-api-Table", "--bus", "message-api-Events")


pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture
def client(in_memory: None) -> Client:
    return Client()


@pytest.fixture
def sent(in_memory: None) -> Iterator[Attempts]:
    from shared import clients

    with fault_injection.inject(client=clients.events()) as attempts:
        yield attempts


def replay(*arguments: str) -> Result:
    return program.invoke("events", "replay", *arguments)


def published(sent: Attempts) -> list[tuple[str, Any]]:
    """Return detail type and detail of each event so far, and clear the log of calls."""
    entries = [entry for _, request in sent.log for entry in request["Entries"]]
    sent.log.clear()
    assert {entry["EventBusName"] for entry in entries} <= {"message-api-Events"}
    return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in entries]


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def test_a_replayed_thread_has_the_events_that_were_told_of_it(client: Client, sent: Attempts) -> None:
    from functions import publish_events

    with stream.changes() as records:
        thread_id = client.thread(metadata={"a": "1"})
        for _ in range(3):
            client.message(thread_id)
    client.message(client.thread())
    publish_events.handler(stream.event(records), None)
    first = published(sent)

    result = replay(*HERE, "--project", client.project, "--thread", thread_id)

    assert (result.exit_code, result.output) == (0, "4 events\n")
    again = published(sent)
    assert again[0][0] == "thread.created"
    assert sorted(again, key=str) == sorted(first, key=str)


def test_what_was_changed_is_told_as_updated(client: Client, sent: Attempts) -> None:
    thread_id = client.thread()
    message_id = client.message(thread_id)["id"]
    client.create("modify_message", thread_id, message_id, body={"metadata": {"a": "1"}})

    replay(*HERE, "--project", client.project)

    assert [(kind, detail["event_id"]) for kind, detail in published(sent)] == [
        ("thread.created", f"{client.project}/{thread_id}/1"),
        ("thread.message.updated", f"{client.project}/{thread_id}/{message_id}/2"),
    ]


def test_a_project_is_replayed_whole_and_alone(client: Client, sent: Attempts) -> None:
    threads = [client.thread() for _ in range(3)]
    gone = client.thread()
    client.message(gone)
    client.create("delete_thread", gone)
    Client().thread()

    result = replay(*HERE, "--project", client.project)

    assert result.output == "4 events\n"
    assert [(kind, detail["id"]) for kind, detail in published(sent)] == [
        *(("thread.created", thread_id) for thread_id in threads),
        ("thread.deleted", gone),
    ]


def test_a_time_span_has_the_threads_that_were_active_and_the_messages_created_in_it(
    client: Client, clock: Clock, sent: Attempts
) -> None:
    quiet = client.thread()
    clock.forward(1)
    busy = client.thread()
    client.message(busy)
    clock.forward(3_600)
    start = moment(time.time())
    clock.forward(10)
    inside = client.message(busy)["id"]
    clock.forward(10)
    end = moment(time.time())
    clock.forward(10)
    late = client.message(busy)["id"]
    later = client.thread()

    def found(*arguments: str) -> list[str]:
        replay(*HERE, *arguments)
        return [detail["id"] for _, detail in published(sent)]

    assert found("--since", start, "--until", end) == [busy, inside]
    assert found("--since", start) == [busy, inside, late, later]
    assert found("--until", start, "--project", client.project)[:2] == [quiet, busy]


def test_a_run_is_published_with_the_status_that_it_has(client: Client, clock: Clock, sent: Attempts) -> None:
    runs = Runs(client)
    thread_id, assistant_id = runs.thread(), runs.assistant()
    ended = runs.run(thread_id, assistant_id)
    runs.create("cancel_run", thread_id, ended["id"])
    clock.forward(10)
    start = moment(time.time())
    waiting = runs.run(thread_id, assistant_id)
    with_version = {ended["id"]: ("thread.run.cancelled", 2), waiting["id"]: ("thread.run.queued", 1)}

    replay(*HERE, "--project", client.project)
    found = [(kind, detail) for kind, detail in published(sent) if kind.startswith("thread.run.")]
    assert {detail["id"]: (kind, detail["version"]) for kind, detail in found} == with_version
    assert [detail["event_id"].rpartition("/")[0] for _, detail in found] == [
        f"{client.project}/{thread_id}/{run_id}" for run_id in with_version
    ]

    replay(*HERE, "--project", client.project, "--since", start)
    assert [(kind, detail["id"]) for kind, detail in published(sent)] == [
        ("thread.created", thread_id),
        ("thread.run.queued", waiting["id"]),
    ]


def test_what_nobody_can_see_is_not_told(client: Client, clock: Clock, sent: Attempts) -> None:
    thread_id = client.thread()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(VARIABLES, "RETENTION_DAYS", "1")
        clock.forward(86_401)
        result = replay(*HERE, "--project", client.project)
    assert (result.output, published(sent)) == ("0 events\n", [])

    result = replay(*HERE, "--project", client.project, "--thread", f"{thread_id}X")
    assert (result.output, published(sent)) == ("0 events\n", [])


def test_a_bus_that_refuses_is_one_line(client: Client) -> None:
    from shared import clients

    client.thread()
    entries = [{"ErrorCode": "InternalFailure", "ErrorMessage": "injected"}]
    refuse = Fault("PutEvents", fault_injection.answered({"FailedEntryCount": 1, "Entries": entries}), times=0)
    with fault_injection.inject(refuse, client=clients.events()):
        result = replay(*HERE, "--project", client.project)

    told = "Error: the bus refused an event after 0 events: run the same command again\n"
    assert (result.exit_code, result.output) == (1, told)


def test_an_error_of_aws_is_one_line(client: Client) -> None:
    with fault_injection.inject(Fault("Query", fault_injection.error("AccessDeniedException"))):
        result = replay(*HERE, "--project", client.project)

    assert result.exit_code == 1
    assert result.output.startswith("Error: ClientError: An error occurred (AccessDeniedException)")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*HERE,), "Name what to publish"),
        ((*HERE, "--thread", "thread_1"), "A thread needs its project"),
        (("--project", "alpha"), "Name the bus"),
        ((*HERE, "--since", "yesterday"), "does not match the formats"),
    ],
)
def test_a_command_line_that_says_too_little_is_refused(arguments: tuple[str, ...], complaint: str) -> None:
    found = program.invoke("events", "replay", *arguments, EVENT_BUS_NAME="", TABLE_NAME="")

    assert (found.exit_code, found.stdout) == (2, "")
    assert complaint in found.stderr
