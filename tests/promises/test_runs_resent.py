"""The official SDK sends a request again if its response was lost. No run, message or output is then stored twice.

The SDK is that of this project's own environment. Its transport calls the functions, without a network.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import openai
import pytest

from tests.support import chat_stub
from tests.support.chat_stub import Chat, fails, says
from tests.support.client import invoke
from tests.support.runs import WEATHER, Runs, work

pytestmark = pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning")


class Losing(httpx.BaseTransport):
    """Calls the functions. For each of these paths, it loses the first response."""

    def __init__(self, runs: Runs, *lost: str) -> None:
        self._runs = runs
        self._lost = [*lost]
        self.retry_counts: list[str] = []
        self.on_lost: Callable[[], object] = bool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.url.path
        function = "runs" if "/runs" in path else "list_messages"
        parameters = {} if path == "/threads/runs" else {"threadId": path.split("/")[2]}
        event = self._runs.client.event_at(
            request.method, path, parameters, body=request.read().decode() or None, query=request.url.query.decode()
        )
        event["headers"] |= headers | {"authorization": event["headers"]["authorization"]}
        answer = invoke(function, event)
        self.retry_counts.append(headers["x-stainless-retry-count"])
        lost = next((end for end in self._lost if path.endswith(end)), None)
        if lost:
            self._lost.remove(lost)
            self.on_lost()
            raise httpx.ReadError("the response is lost")
        return httpx.Response(answer.status, headers={"content-type": "application/json"}, text=answer.text)


@pytest.fixture
def losing(runs: Runs, chat: Chat) -> Iterator[Any]:
    """Return a function that creates an SDK's client whose responses are lost, and returns it with its transport."""
    opened = []

    def client(*lost: str) -> tuple[openai.OpenAI, Losing]:
        transport = Losing(runs, *lost)
        http_client = httpx.Client(transport=transport)
        opened.append(http_client)
        return openai.OpenAI(api_key="sk-x", base_url="http://runs.test", http_client=http_client), transport

    yield client
    for http_client in opened:
        http_client.close()


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "key"}], ids=["without a key", "with a key"])
def test_a_create_run_whose_response_was_lost_makes_one_run(runs: Runs, losing: Any, headers: dict[str, str]) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()
    client, transport = losing("/runs")

    run = client.beta.threads.runs.create(
        thread_id,
        assistant_id=assistant_id,
        additional_messages=[{"role": "user", "content": "And now?"}],
        extra_headers=headers,
    )

    assert transport.retry_counts == ["0", "1"]
    assert [found["id"] for found in runs.create("list_runs", thread_id)["data"]] == [run.id]
    assert len(runs.client.page(thread_id)["data"]) == 2


def test_a_create_run_whose_response_was_lost_makes_one_answer_also_when_the_model_was_faster_than_the_sdk(
    runs: Runs, losing: Any, chat: Chat
) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()
    client, transport = losing("/runs")

    def execute() -> None:
        (made,) = runs.create("list_runs", thread_id)["data"]
        assert runs.execute(made)["status"] == "completed"

    transport.on_lost = execute
    run = client.beta.threads.runs.create(thread_id, assistant_id=assistant_id)
    meant_again = runs.run(thread_id, assistant_id)

    assert run.status == "completed"
    assert [found["id"] for found in runs.create("list_runs", thread_id)["data"]] == [meant_again["id"], run.id]


@pytest.mark.parametrize("change", ["message", "body", "failed"])
def test_a_create_run_that_is_sent_again_begins_a_run_when_the_last_one_was_another(
    runs: Runs, chat: Chat, change: str
) -> None:
    chat.replies = [fails(400) if change == "failed" else says("Hello")]
    run = runs.execute(runs.run(runs.thread(), runs.assistant()))
    body = {"assistant_id": run["assistant_id"]}
    if change == "message":
        runs.client.message(run["thread_id"], "And now?")
    elif change == "body":
        body["instructions"] = "Other."

    again = runs.create("create_run", run["thread_id"], body=body, headers={"x-stainless-retry-count": "1"})

    assert (again["status"], again["id"] != run["id"]) == ("queued", True)


@pytest.mark.parametrize("is_executed", [False, True])
def test_a_submit_whose_response_was_lost_is_taken_once(
    runs: Runs,
    losing: Any,
    chat: Chat,
    is_executed: bool,
) -> None:
    chat.replies = [chat_stub.calls(("call_1", "get_weather", "{}")), says("Sunny.")]
    run = runs.execute(runs.run(runs.thread(), runs.assistant(tools=[WEATHER])))
    client, transport = losing("/submit_tool_outputs")
    if is_executed:
        transport.on_lost = lambda: work(runs.client.project, run)

    outputs = [{"tool_call_id": "call_1", "output": "sunny"}]
    answer = client.beta.threads.runs.submit_tool_outputs(run["id"], thread_id=run["thread_id"], tool_outputs=outputs)

    assert answer.status == ("completed" if is_executed else "queued")
    assert transport.retry_counts == ["0", "1"]
    assert runs.execute(run)["status"] == "completed"
    assert [asked["messages"][-1]["role"] for asked in chat.asked] == ["user", "tool"]


def test_a_create_thread_and_run_with_a_key_whose_response_was_lost_makes_one_thread(
    runs: Runs, losing: Any, chat: Chat
) -> None:
    client, transport = losing("/threads/runs")

    run = client.beta.threads.create_and_run(
        assistant_id=runs.assistant(),
        thread={"messages": [{"role": "user", "content": "Hello"}]},
        extra_headers={"Idempotency-Key": "key"},
    )

    assert transport.retry_counts == ["0", "1"]
    assert [thread["id"] for thread in runs.client.create("list_threads")["data"]] == [run.thread_id]
    assert len(runs.create("list_runs", run.thread_id)["data"]) == 1


def test_a_create_run_whose_first_request_was_refused_as_busy_makes_one_run(
    runs: Runs, losing: Any, chat: Chat
) -> None:
    """The next attempt makes the run that the first one did not make, although its header says that it is a retry."""
    thread_id, assistant_id = runs.thread(), runs.assistant()
    client, transport = losing()
    respond = transport.handle_request

    def be_busy_once(request: httpx.Request) -> httpx.Response:
        if request.headers["x-stainless-retry-count"] == "0":
            return httpx.Response(503, headers={"retry-after": "0.1"}, json={})
        response: httpx.Response = respond(request)
        return response

    transport.handle_request = be_busy_once
    run = client.beta.threads.runs.create(thread_id, assistant_id=assistant_id)

    assert [found["id"] for found in runs.create("list_runs", thread_id)["data"]] == [run.id]
