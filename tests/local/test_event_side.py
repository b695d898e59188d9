"""The event side of the local API: it publishes events, takes commands, and erases deleted threads from the data."""

import json
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from tests.support import program
from tests.support.local_api import LocalApi, serving
from tests.support.subscriber import Events, subscribed
from tools.local import template

_KEY = {"API_KEYS": "alpha=sk-alpha"}
_HEADERS = {"Authorization": "Bearer sk-alpha"}


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    with serving(**_KEY) as served:
        yield served


@pytest.fixture(scope="module")
def events(api: LocalApi) -> Iterator[Events]:
    with subscribed(api) as taken:
        yield taken


@pytest.fixture(scope="module")
def client(api: LocalApi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.base_url, headers=_HEADERS) as opened:
        yield opened


@pytest.fixture
def thread_id(client: httpx.Client, events: Events) -> str:
    created: str = client.post("/threads").json()["id"]
    assert events.next()["detail-type"] == "thread.created"
    return created


def _local(api: LocalApi, path: str) -> str:
    return f"{api.base_url.removesuffix('/v1')}/_local/{path}"


def _command(thread_id: str, **fields: Any) -> dict[str, Any]:
    named = {"command_id": f"answer-{thread_id}", "project": "alpha", "thread_id": thread_id}
    return named | {"role": "assistant", "content": "Hello", "run_id": "run_1"} | fields


def _port(api: LocalApi) -> str:
    return api.base_url.rpartition(":")[2].removesuffix("/v1")


def test_every_change_comes_out_in_the_form_of_eventbridge(client: httpx.Client, events: Events) -> None:
    first = {"role": "user", "content": "One"}
    thread = client.post("/threads", json={"messages": [first]}).json()
    path = f"/threads/{thread['id']}"
    # This comes before the delete of the thread, which also publishes events of its messages.
    created = events.take(2)
    message = client.post(f"{path}/messages", json={"role": "user", "content": "é\U0001f600"}).json()
    modified = client.post(f"{path}/messages/{message['id']}", json={"metadata": {"a": "b"}}).json()
    client.delete(f"{path}/messages/{message['id']}")
    changed = events.take(3)
    client.post(path, json={"metadata": {"user_id": "u-1"}})
    client.delete(path)
    changed += events.take(2)
    assert sorted(event["detail-type"] for event in created) == ["thread.created", "thread.message.created"]
    assert [event["detail-type"] for event in changed] == [
        "thread.message.created",
        "thread.message.updated",
        "thread.message.deleted",
        "thread.updated",
        "thread.deleted",
    ]
    assert message.items() <= changed[0]["detail"].items()
    assert modified.items() <= changed[1]["detail"].items()
    assert changed[1]["detail"]["previous_metadata"] == {}
    assert (changed[4]["detail"]["id"], changed[4]["detail"]["project"]) == (thread["id"], "alpha")
    event = changed[0]
    assert {**event, "id": None, "time": None, "detail": None} == {
        "version": "0",
        "id": None,
        "detail-type": "thread.message.created",
        "source": "message-api",
        "account": template.ACCOUNT,
        "time": None,
        "region": template.REGION,
        "resources": [],
        "detail": None,
    }


def test_a_command_becomes_one_message_however_often_it_comes(
    api: LocalApi, client: httpx.Client, events: Events, thread_id: str
) -> None:
    answers = [httpx.post(_local(api, "commands"), json=_command(thread_id)) for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"message": "done"})] * 2
    (message,) = client.get(f"/threads/{thread_id}/messages").json()["data"]
    assert (message["role"], message["run_id"]) == ("assistant", "run_1")
    assert events.next()["detail"]["id"] == message["id"]


def test_a_rejected_command_is_a_dead_letter_with_the_reason(api: LocalApi, thread_id: str) -> None:
    command = _command(thread_id, role="human")
    before = len(api.errors)
    answer = httpx.post(_local(api, "commands"), json=command)
    told = answer.json()
    assert (answer.status_code, told["error"]["param"], told["error"]["code"]) == (422, "role", "invalid_value")
    assert told["message"] == "dead letter in message-api-RejectedCommands"
    letter = httpx.get(_local(api, "dead_letters")).json()[-1]
    assert (letter["queue"], json.loads(letter["body"])) == ("message-api-RejectedCommands", command)
    assert json.loads(letter["error"]) == {"error": told["error"]}
    assert api.errors[before:] == f"dead letter in message-api-RejectedCommands: {letter['error']}\n"


@pytest.mark.parametrize(
    ("status", "headers", "content"),
    [
        (415, {"content-type": "text/plain"}, b"{}"),
        (400, {"content-type": "application/json", "host": "attacker.example"}, b"{}"),
        (413, {"content-type": "application/json"}, b"x" * 1_048_577),
    ],
)
def test_no_page_in_a_browser_and_no_queue_would_send_this(
    api: LocalApi, status: int, headers: dict[str, str], content: bytes
) -> None:
    assert httpx.post(_local(api, "commands"), headers=headers, content=content).status_code == status


def test_the_command_line_sends_a_command(api: LocalApi, events: Events, thread_id: str) -> None:
    command = program.run("commands", "send", stdin=json.dumps(_command(thread_id)), PORT=_port(api))
    assert command == (0, "done\n", "")
    events.next()
    code, out, error = program.run("commands", "send", stdin="{", PORT=_port(api))
    assert (code, out) == (1, "")
    assert error.startswith("Error: dead letter in message-api-RejectedCommands: The body of the request ")


def test_events_are_printed_one_a_line_until_the_api_ends() -> None:
    with serving(**_KEY) as api:
        with program.start("events", "tail", "--port", _port(api)) as watching:
            assert watching.stdout
            # The subscriber may subscribe after the first of these changes.
            printed = _first_line(api, watching)
            assert json.loads(printed)["detail-type"] == "thread.created"
            started = time.monotonic()
            api.process.send_signal(signal.SIGINT)
            assert api.process.wait(10) == 0
            assert time.monotonic() - started < 3
            watching.stdout.read()
            assert watching.wait(10) == 0
        assert "Traceback" not in api.errors


def _first_line(api: LocalApi, watching: subprocess.Popen[str]) -> str:
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.append(watching.stdout.readline() if watching.stdout else ""))
    reading.start()
    for _ in range(100):
        httpx.post(f"{api.base_url}/threads", headers=_HEADERS)
        reading.join(0.2)
        if lines:
            break
    return lines[0]


def test_without_an_api_the_command_lines_say_so() -> None:
    for command in (("events", "tail"), ("commands", "send")):
        told = program.invoke(*command, PORT="9")
        assert (told.exit_code, told.output) == (1, "Error: no local API on port 9: Connection refused\n")


def test_a_deleted_thread_has_vanished_from_the_data_when_the_api_has_ended(
    dynamodb_local: str, tmp_path: Path
) -> None:
    with serving(**_KEY, DATA=str(tmp_path)) as api, subscribed(api) as events:
        with httpx.Client(base_url=api.base_url, headers=_HEADERS) as client:
            body = {"messages": [{"role": "user", "content": "private"}]}
            kept, gone = (client.post("/threads", json=body).json()["id"] for _ in range(2))
            events.take(4)
            client.delete(f"/threads/{gone}")
            assert events.next()["detail-type"] == "thread.deleted"
        api.process.terminate()
        assert api.process.wait(30) == 0
        assert "Traceback" not in api.errors
    with closing(sqlite3.connect(tmp_path / "shared-local-instance.db")) as database:
        left = {partition.decode() for (partition,) in database.execute('SELECT hashKey FROM "message-api-Table"')}
    assert f"alpha#{kept}" in left
    assert not {partition for partition in left if gone in partition}


def test_a_table_without_a_stream_is_served_without_events(dynamodb_local: str) -> None:
    described = {name: value for name, value in template.load().table.items() if name != "StreamSpecification"}
    session = boto3.Session("local", "local", region_name=template.REGION)
    session.client("dynamodb", endpoint_url=dynamodb_local).create_table(**described | {"TableName": "no-stream"})
    with serving(**_KEY, DYNAMODB_URL=dynamodb_local, TABLE_NAME="no-stream") as api:
        assert (
            "\nNo events, and nothing erased from here: this table has no stream that can be read there\n"
            in api.printed
        )
        answer = httpx.get(_local(api, "events"))
        message = "the table has no stream that can be read, so there are no events"
        assert (answer.status_code, answer.json()) == (404, {"message": message})
        thread_id = httpx.post(f"{api.base_url}/threads", headers=_HEADERS).json()["id"]
        assert httpx.post(_local(api, "commands"), json=_command(thread_id)).status_code == 200
