"""The example that starts a run for each message of a user, against the local API."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uv

from tests.e2e import versions
from tests.support import http_stub
from tests.support.chat_stub import Chat, chatting, held, says
from tests.support.local_api import ROOT, LocalApi, serving
from tests.support.subscriber import Events, subscribed

_FOLDER = ROOT / "examples" / "responder" / "responder"
_INVOKE = """
import app, json, sys
for line in sys.stdin:
    try:
        app.handler(json.loads(line), None)
        print("done", flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
"""
_SECONDS = 20

Deliver = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with chatting("Hello, you") as served:
        yield served


@pytest.fixture(scope="module")
def api(chat: Chat) -> Iterator[LocalApi]:
    with serving(API_KEYS="alpha=sk-alpha,alpha+trusted=sk-trusted", MODEL_URL=chat.base_url) as served:
        yield served


@pytest.fixture
def events(api: LocalApi) -> Iterator[Events]:
    with subscribed(api) as found:
        yield found


@pytest.fixture
def client(api: LocalApi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-trusted"}) as opened:
        yield opened


@pytest.fixture
def thread(client: httpx.Client) -> str:
    return _post(client, "/threads")


@pytest.fixture(scope="module")
def assistant_id(api: LocalApi) -> str:
    with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-alpha"}) as client:
        return _post(client, "/assistants", model="m-1")


@pytest.fixture(scope="module")
def deliver(api: LocalApi, assistant_id: str) -> Iterator[Deliver]:
    """Yield a function that calls the Lambda function with an event. It returns `done` or the exception's name."""
    command = [uv.find_uv_bin(), "run", "--quiet", "--no-project", "--python", sys.executable]
    command += ["--exclude-newer", versions.EXCLUDE_NEWER, "--with=boto3"]
    command += [f"--with-requirements={_FOLDER / 'requirements.txt'}", "python", "-W", "ignore", "-c", _INVOKE]
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
    settings = {"MESSAGE_API_URL": api.base_url, "KEY_SECRET": "responder", "ASSISTANT_ID": assistant_id}
    secret = http_stub.Response(200, {"Name": "responder", "SecretString": "sk-alpha\n"})
    with http_stub.serving(lambda _: secret) as url:
        own = {"PYTHONPATH": str(_FOLDER), "AWS_ENDPOINT_URL": url, **keys, **settings}
        with subprocess.Popen(
            command, env=os.environ | own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:

            def call(event: dict[str, Any]) -> str:
                assert process.stdin
                assert process.stdout
                process.stdin.write(json.dumps({"Records": [{"body": json.dumps(event)}]}) + "\n")
                process.stdin.flush()
                return process.stdout.readline().strip()

            yield call


def _post(client: httpx.Client, path: str, **body: Any) -> str:
    created: str = client.post(path, json=body).raise_for_status().json()["id"]
    return created


def _write(client: httpx.Client, events: Events, thread: str, text: str, **fields: Any) -> dict[str, Any]:
    """Create a message and return its event."""
    message_id = _post(client, f"/threads/{thread}/messages", **{"role": "user", "content": text, **fields})
    return next(event for event in iter(events.next, None) if event["detail"]["id"] == message_id)


def _conversation(client: httpx.Client, thread: str) -> list[str]:
    """Wait until no run is active, and return the texts of the thread's messages."""
    for _ in range(_SECONDS * 10):
        runs = client.get(f"/threads/{thread}/runs").json()["data"]
        if all(run["status"] == "completed" for run in runs):
            break
        time.sleep(0.1)
    messages = client.get(f"/threads/{thread}/messages", params={"order": "asc"}).json()["data"]
    return [message["content"][0]["text"]["value"] for message in messages]


def test_one_command_answers_what_is_written_from_then_on(
    api: LocalApi, client: httpx.Client, thread: str, assistant_id: str
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    own = {"OPENAI_BASE_URL": api.base_url, "OPENAI_API_KEY": "sk-alpha", "ASSISTANT_ID": assistant_id}
    with subprocess.Popen(
        ["make", "respond"], cwd=ROOT, env=kept | own, stdout=subprocess.PIPE, text=True
    ) as responder:
        assert responder.stdout
        assert responder.stdout.readline() == "Starting a run for each new message of a user.\n"
        message_id = _post(client, f"/threads/{thread}/messages", role="user", content="Hello")
        said = responder.stdout.readline()
        answered = _conversation(client, thread)
        (run,) = client.get(f"/threads/{thread}/runs").json()["data"]
        responder.terminate()

    assert said == f"{message_id}: {run['id']}\n"
    assert (run["assistant_id"], run["metadata"]) == (assistant_id, {"message_id": message_id})
    assert answered == ["Hello", "Hello, you"]


def test_a_wrong_setting_is_named(api: LocalApi) -> None:
    own = {"OPENAI_BASE_URL": api.base_url, "OPENAI_API_KEY": "sk-alpha", "ASSISTANT_ID": "asst_unknown"}
    run = subprocess.run(
        ["make", "respond"], cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False
    )

    assert run.returncode != 0
    assert run.stderr.startswith("OPENAI_BASE_URL, OPENAI_API_KEY or ASSISTANT_ID is wrong: Error code: 404")


def test_an_event_that_arrives_twice_starts_one_run(
    client: httpx.Client, events: Events, thread: str, deliver: Deliver
) -> None:
    event = _write(client, events, thread, "Hello")
    _write(client, events, thread, "Are you there?")

    said = [deliver(event), deliver(event)]
    answered = _conversation(client, thread)
    said.append(deliver(event))

    assert said == ["done"] * 3
    assert answered == _conversation(client, thread) == ["Hello", "Are you there?", "Hello, you"]


def test_an_answer_outlives_the_idempotency_key(
    client: httpx.Client, events: Events, thread: str, assistant_id: str, deliver: Deliver
) -> None:
    """The responder created the run, but the API has forgotten the Idempotency-Key, as it does after a day."""
    event = _write(client, events, thread, "Hello")
    metadata = {"message_id": event["detail"]["id"]}
    _post(client, f"/threads/{thread}/runs", assistant_id=assistant_id, metadata=metadata)
    _conversation(client, thread)

    assert deliver(event) == "done"
    assert _conversation(client, thread) == ["Hello", "Hello, you"]


def test_a_message_waits_for_the_active_run_and_then_has_its_own(
    chat: Chat, client: httpx.Client, events: Events, thread: str, deliver: Deliver
) -> None:
    until, replies = threading.Event(), chat.replies[:]
    chat.asked.clear()
    chat.replies[:] = [held(says("One"), until), says("Two")]
    deliver(_write(client, events, thread, "First"))
    while not chat.asked:
        time.sleep(0.05)
    second = _write(client, events, thread, "Second")  # the key is trusted

    refused = deliver(second)
    until.set()
    _conversation(client, thread)
    taken = deliver(second)

    assert (refused, taken) == ("BadRequestError", "done")
    assert _conversation(client, thread) == ["First", "Second", "One", "Two"]
    chat.replies[:] = replies


def test_a_run_answers_all_messages_before_it(
    client: httpx.Client, events: Events, thread: str, deliver: Deliver
) -> None:
    first = _write(client, events, thread, "First")
    time.sleep(1.1)  # times are in seconds
    deliver(_write(client, events, thread, "Second"))
    _conversation(client, thread)

    assert deliver(first) == "done"
    assert _conversation(client, thread) == ["First", "Second", "Hello, you"]


@pytest.mark.parametrize("run_id", [None, "run_elsewhere"])
def test_what_needs_no_run_has_none(
    client: httpx.Client, events: Events, thread: str, deliver: Deliver, run_id: str | None
) -> None:
    answered = _write(client, events, thread, "Hello")
    answer = _write(client, events, thread, "I answer myself", role="assistant", run_id=run_id)
    deleted = _write(client, events, thread, "Deleted")
    client.delete(f"/threads/{thread}/messages/{deleted['detail']['id']}").raise_for_status()

    assert [deliver(event) for event in (answered, answer, deleted)] == ["done"] * 3
    assert client.get(f"/threads/{thread}/runs").json()["data"] == []
