"""Runs through the local API in a separate process, with an endpoint that delays its responses or is misconfigured."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import expected
from tests.support.chat_stub import (
    Chat,
    Json,
    Reply,
    Scripted,
    calls,
    chatting,
    chunk,
    deltas,
    fails,
    held,
    says,
    shows_page,
)
from tests.support.local_api import LocalApi, serving
from tests.support.subscriber import subscribed
from tools.local.dynamodb import data_folder

_KEY = {"API_KEYS": "alpha=sk-alpha"}
_MODEL_KEY = "sk-of-the-model-1234"
_WEATHER = {"type": "function", "function": {"name": "get_weather"}}
_URL = "Correct ModelUrl (locally MODEL_URL): it usually ends in /v1."
_SAID = "The model's endpoint responded with status"
_SECONDS = 20.0
_ENDING = "waiting up to 15 s for {} to end; press Ctrl-C again to end now\n"


@dataclass(frozen=True)
class Caller:
    """The calls of a project to a local API."""

    client: httpx.Client

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(path, json=body or {}).raise_for_status().json()

    def assistant(self, **fields: Any) -> str:
        return str(self.post("/assistants", {"model": "gpt-4o", **fields})["id"])

    def thread(self, content: str = "Hello") -> str:
        return str(self.post("/threads", {"messages": [{"role": "user", "content": content}]})["id"])

    def run(self, thread_id: str, assistant_id: str) -> Json:
        run: Json = self.post(f"/threads/{thread_id}/runs", {"assistant_id": assistant_id})
        return run

    def read(self, run: Json) -> Json:
        found: Json = self.client.get(f"/threads/{run['thread_id']}/runs/{run['id']}").raise_for_status().json()
        return found

    def ended(self, run: Json) -> Json:
        """Wait until the run is not active, and return it."""
        deadline = time.monotonic() + _SECONDS
        while (found := self.read(run))["status"] in ("queued", "in_progress"):
            assert time.monotonic() < deadline, found["status"]
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with chatting("Hello") as running:
        yield running


@pytest.fixture(scope="module")
def api(chat: Chat) -> Iterator[LocalApi]:
    with serving(MODEL_URL=chat.base_url, MODEL_API_KEY=_MODEL_KEY, **_KEY) as served:
        yield served


@pytest.fixture(scope="module")
def caller(api: LocalApi) -> Iterator[Caller]:
    with _calling(api) as opened:
        yield Caller(opened)


def _calling(api: LocalApi) -> httpx.Client:
    return httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-alpha"}, timeout=_SECONDS)


def _holding(until: threading.Event) -> Callable[[Json], Reply]:
    """Return a function that replies to the message `Wait` after `until` is set, and to others at once."""

    def respond(asked: Json) -> Reply:
        return held(says("At last"), until) if asked["messages"][-1]["content"] == "Wait" else says("At once")

    return respond


def _asked(chat: Chat, count: int = 1) -> None:
    """Wait until the endpoint has had this number of requests."""
    deadline = time.monotonic() + _SECONDS
    while len(chat.asked) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_while_the_model_holds_its_response_other_requests_and_runs_go_on(chat: Chat, caller: Caller) -> None:
    goes_on = threading.Event()
    chat.replies[:], chat.asked[:] = [_holding(goes_on)], []
    assistant_id = caller.assistant()
    waiting = caller.run(caller.thread("Wait"), assistant_id)
    _asked(chat)

    started = time.monotonic()
    assert [caller.read(waiting)["status"] for _ in range(20)] == ["in_progress"] * 20
    other = caller.ended(caller.run(caller.thread(), assistant_id))
    seconds = time.monotonic() - started
    still = caller.read(waiting)["status"]
    goes_on.set()

    assert (other["status"], still) == ("completed", "in_progress")
    assert seconds < 10
    assert caller.ended(waiting)["status"] == "completed"
    newest = caller.client.get(f"/threads/{waiting['thread_id']}/messages").json()["data"][0]
    assert newest["content"][0]["text"]["value"] == "At last"


def test_a_stream_shows_the_answer_while_the_model_still_writes(chat: Chat, caller: Caller) -> None:
    goes_on = threading.Semaphore(2)
    chat.replies[:] = [replace(says("Hel", "lo"), between=lambda: goes_on.acquire(timeout=_SECONDS))]
    body = {"assistant_id": caller.assistant(), "stream": True}
    with caller.client.stream("POST", f"/threads/{caller.thread()}/runs", json=body) as response:
        lines = response.iter_lines()
        first = next(line for line in lines if "delta" in line and line.startswith("data: "))
        goes_on.release(100)
        names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]

    assert json.loads(first[6:])["delta"]["content"][0]["text"] == {"value": "Hel", "annotations": []}
    ends = ["thread.message.completed", "thread.run.step.completed", "thread.run.completed", "done"]
    assert names == ["thread.message.delta", *ends]


def test_eight_creates_at_once_make_one_run(chat: Chat, caller: Caller) -> None:
    goes_on = threading.Event()
    chat.replies[:] = [_holding(goes_on)]
    assistant_id, thread_id = caller.assistant(), caller.thread("Wait")
    path = f"/threads/{thread_id}/runs"

    def create(_: int) -> httpx.Response:
        return caller.client.post(path, json={"assistant_id": assistant_id})

    with ThreadPoolExecutor(8) as threads:
        responses = sorted(threads.map(create, range(8)), key=lambda response: response.status_code)
    goes_on.set()

    run = responses[0].json()
    assert [response.status_code for response in responses] == [200, *[400] * 7]
    active = expected.error(f"Thread {thread_id} already has an active run {run['id']}.")
    assert [response.json() for response in responses[1:]] == [active] * 7
    assert caller.ended(run)["status"] == "completed"
    assert len(caller.client.get(path).json()["data"]) == 1


def test_it_ends_within_seconds_though_the_model_holds_its_response() -> None:
    goes_on = threading.Event()
    with (
        chatting(held(says("late"), goes_on)) as chat,
        serving(MODEL_URL=chat.base_url, **_KEY) as api,
        _calling(api) as client,
    ):
        caller = Caller(client)
        body = {"assistant_id": caller.assistant(), "stream": True}
        with client.stream("POST", f"/threads/{caller.thread()}/runs", json=body) as stream:
            _asked(chat)
            api.process.send_signal(signal.SIGTERM)
            try:
                assert api.process.wait(10) == 0
            finally:
                goes_on.set()
            assert "thread.run.completed" not in stream.read().decode()
        assert "Traceback" not in api.errors


def _told(api: LocalApi, line: str) -> None:
    """Wait until this is the last line that the local API has written to its stderr."""
    deadline = time.monotonic() + _SECONDS
    while not api.errors.endswith(line):
        assert time.monotonic() < deadline, api.errors
        time.sleep(0.02)


def test_a_run_that_waits_when_the_api_ends_is_executed_after_the_next_start(
    dynamodb_local: str, tmp_path: Path
) -> None:
    goes_on = threading.Event()
    with chatting(_holding(goes_on)) as chat:
        variables = {**_KEY, "DATA": str(tmp_path), "MODEL_URL": chat.base_url, "RUNS_AT_ONCE": "2"}
        with serving(**variables) as api, _calling(api) as client:
            caller = Caller(client)
            assistant_id = caller.assistant()
            begun = [caller.run(caller.thread("Wait"), assistant_id) for _ in range(2)]
            _asked(chat, 2)
            waiting = [caller.run(caller.thread(), assistant_id) for _ in range(2)]
            api.process.send_signal(signal.SIGTERM)
            _told(api, _ENDING.format("2 runs"))
            goes_on.set()
            assert api.process.wait(10) == 0
        assert len(chat.asked) == 2
        with serving(**variables) as api, _calling(api) as client:
            caller = Caller(client)
            assert [caller.read(run)["status"] for run in begun] == ["completed"] * 2
            ended = [caller.ended(run) for run in waiting]
            assert [run["status"] for run in ended] == ["completed"] * 2
            assert len(chat.asked) == 4
            caller.post(f"/threads/{waiting[0]['thread_id']}/messages", {"role": "user", "content": "And now?"})


def test_a_second_ctrl_c_does_not_wait_for_the_run_and_ends_the_engine(dynamodb_local: str, tmp_path: Path) -> None:
    goes_on = threading.Event()
    with (
        chatting(held(says("late"), goes_on)) as chat,
        serving(**_KEY, DATA=str(tmp_path), MODEL_URL=chat.base_url) as api,
        _calling(api) as client,
    ):
        caller = Caller(client)
        caller.run(caller.thread(), caller.assistant())
        _asked(chat)
        engine = int((tmp_path / "engine.pid").read_text())
        api.process.send_signal(signal.SIGINT)
        try:
            _told(api, _ENDING.format("1 run"))
            api.process.send_signal(signal.SIGINT)
            assert api.process.wait(8) == 0
        finally:
            goes_on.set()
        assert api.errors.endswith(_ENDING.format("1 run"))
    assert "DynamoDBLocal.jar" not in data_folder._command(engine)
    assert not (tmp_path / "engine.pid").exists()


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        (
            shows_page(),
            "server_error",
            f"The model's endpoint responded with text/html instead of text/event-stream. {_URL}",
        ),
        (
            fails(401, f"Incorrect API key provided: {_MODEL_KEY}."),
            "server_error",
            f"{_SAID} 401: Incorrect API key provided: [redacted]. Correct ModelKeySecret (locally MODEL_API_KEY).",
        ),
        (
            fails(404, "The model 'gpt-4o' does not exist"),
            "server_error",
            (
                f"{_SAID} 404: The model 'gpt-4o' does not exist. "
                "Correct ModelMap (locally MODEL_MAP), or the model of the assistant or run."
            ),
        ),
        (fails(404), "server_error", f"{_SAID} 404: no. {_URL}"),
        (
            fails(400, "Unsupported parameter: max_tokens"),
            "invalid_prompt",
            (
                f"{_SAID} 400: Unsupported parameter: max_tokens. "
                "Correct MaxTokensParameter (locally MAX_TOKENS_PARAMETER)."
            ),
        ),
        (
            deltas(finish=None),
            "server_error",
            "The model's endpoint ended its answer without a finish_reason: it broke off, or has no choice.",
        ),
        (
            replace(says("Hel", finish=None), breaks=True),
            "server_error",
            f"The connection to the model's endpoint failed. {_URL}",
        ),
    ],
    ids=["a page", "key", "model", "path", "parameter", "no choice", "connection"],
)
def test_a_misconfigured_model_ends_the_run_with_what_to_correct(
    *, chat: Chat, api: LocalApi, caller: Caller, reply: Scripted, code: str, message: str
) -> None:
    chat.replies[:] = [reply]

    run = caller.ended(caller.run(caller.thread(), caller.assistant()))

    assert (run["status"], run["last_error"]) == ("failed", {"code": code, "message": message})
    assert _MODEL_KEY not in api.printed + api.errors
    assert chat.base_url not in api.printed + api.errors


def test_of_two_choices_the_first_is_the_answer(chat: Chat, caller: Caller) -> None:
    choices = [{"index": index, "delta": {"content": text}, "finish_reason": "stop"} for index, text in enumerate("ab")]
    chat.replies[:] = [Reply([chunk(*choices)])]
    run = caller.ended(caller.run(caller.thread(), caller.assistant()))
    newest = caller.client.get(f"/threads/{run['thread_id']}/messages").json()["data"][0]
    assert (run["status"], newest["content"][0]["text"]["value"]) == ("completed", "a")


def test_arguments_that_are_no_json_come_to_the_program_as_they_are(chat: Chat, caller: Caller) -> None:
    chat.replies[:] = [calls(("call_1", "get_weather", '{"city": '))]
    run = caller.ended(caller.run(caller.thread(), caller.assistant(tools=[_WEATHER])))
    assert run["status"] == "requires_action"
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": '}


def test_the_events_of_a_run_come_out(chat: Chat, api: LocalApi, caller: Caller) -> None:
    chat.replies[:] = [says("Hello")]
    assistant_id, thread_id = caller.assistant(), caller.thread()
    with subscribed(api) as events:
        run = caller.ended(caller.run(thread_id, assistant_id))
        found: list[str] = []
        while "thread.run.completed" not in found:
            event = events.next()
            if event["detail"].get("thread_id") == thread_id and event["detail-type"].startswith("thread.run"):
                found.append(event["detail-type"])
    assert run["status"] == "completed"
    assert found == ["thread.run.queued", "thread.run.in_progress", "thread.run.completed"]
