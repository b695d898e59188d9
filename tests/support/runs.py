"""Assistants and runs for tests: calls of their operations by name, and the worker of the queue, run by hand."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tests.support import canaries
from tests.support.chat_stub import Chat, Scripted, calls, chatting
from tests.support.client import Answer, Client, invoke
from tools.openapi.routes import ROUTES

ASSISTANT = {"model": "gpt-4o", "instructions": "Be brief."}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@dataclass
class Runs:
    """The calls of the holder of one key. `client` makes the calls of threads and messages."""

    client: Client

    def call(self, operation: str, *ids: str, body: Any = None, **options: Any) -> Answer:
        """Call an operation of assistants or runs as API Gateway does."""
        return invoke(ROUTES[operation][0], self.event(operation, *ids, body=body, **options))

    def event(self, operation: str, *ids: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """Return the event of a call."""
        _, method, path = ROUTES[operation]
        names = re.findall(r"{(\w+)}", path)
        raw_path = path.format(**dict(zip(names, ids, strict=True)))
        return self.client.event_at(method, raw_path, _parameters(raw_path), body=body, **options)

    def create(self, operation: str, *ids: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """Make a call that must succeed, and return its body."""
        answer = self.call(operation, *ids, body=body, **options)
        assert answer.status == 200, answer.text
        found: dict[str, Any] = answer.body
        return found

    def assistant(self, **body: Any) -> str:
        """Create an assistant and return its id."""
        return str(self.create("create_assistant", body=ASSISTANT | body)["id"])

    def thread(self, content: str = "Hello") -> str:
        """Create a thread with a message and return its id."""
        return self.client.thread(messages=[{"role": "user", "content": content}])

    def run(self, thread_id: str, assistant_id: str, **body: Any) -> dict[str, Any]:
        """Create a run and return it."""
        return self.create("create_run", thread_id, body={"assistant_id": assistant_id, **body})

    def read(self, run: dict[str, Any]) -> dict[str, Any]:
        """Retrieve a run and return its current state."""
        return self.create("retrieve_run", run["thread_id"], run["id"])

    def steps(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the steps of a run, newest first."""
        found: list[dict[str, Any]] = self.create("list_run_steps", run["thread_id"], run["id"])["data"]
        return found

    def submit(self, run: dict[str, Any], outputs: dict[str, str], **options: Any) -> Answer:
        """Submit tool outputs by call id."""
        sent = [{"tool_call_id": call_id, "output": output} for call_id, output in outputs.items()]
        return self.call("submit_tool_outputs", run["thread_id"], run["id"], body={"tool_outputs": sent}, **options)

    def execute(self, run: dict[str, Any], *, deliveries: int = 1) -> dict[str, Any]:
        """Let the worker take the run from its queue, once for each delivery. Return the run's state afterwards."""
        for _ in range(deliveries):
            assert work(self.client.project, run) == {"batchItemFailures": []}
        return self.read(run)


@contextmanager
def with_model(*replies: Scripted) -> Iterator[Chat]:
    """Let the worker call an endpoint that returns these replies."""
    from shared.runs import model
    from shared.runs.endpoint import endpoint

    key = "sk-of-the-model-1234"
    canaries.note_key(key)
    with chatting(*replies) as chat, mock.patch.dict(os.environ, MODEL_URL=chat.base_url, MODEL_API_KEY=key):
        endpoint.cache_clear()
        try:
            yield chat
        finally:
            endpoint.cache_clear()
            model._http_client().close()
            model._http_client.cache_clear()
            model._client.cache_clear()


def event(client: Client, operation: str, *ids: str, **options: Any) -> dict[str, Any]:
    """Return the event of any operation: of threads and messages, or of assistants and runs."""
    of = Runs(client) if operation in ROUTES else client
    return of.event(operation, *ids, **options)


def call(client: Client, operation: str, *ids: str, **options: Any) -> Answer:
    """Call any operation."""
    return invoke(function_of(operation), event(client, operation, *ids, **options))


def function_of(operation: str) -> str:
    """Return the function that serves an operation."""
    return ROUTES.get(operation, (operation,))[0]


def work(project: str, run: dict[str, Any]) -> dict[str, Any]:
    """Run the function of the queue of runs on a run's message, and return its result."""
    from functions.execute_run import handler

    return handler({"Records": [record(project, run)]}, None)


def waiting(runs: Runs, chat: Chat, *replies: Scripted) -> dict[str, Any]:
    """Return a run that waits for the outputs of the first reply's calls. Without replies, the call is call_1."""
    chat.replies = [*(replies or [calls(("call_1", "get_weather", "{}"))])]
    return runs.execute(runs.run(runs.thread(), runs.assistant(tools=[WEATHER])))


def record(project: str, run: dict[str, Any]) -> dict[str, Any]:
    """Return the queue message that brings a run to its worker."""
    body = {"partition": f"{project}#{run['thread_id']}", "run_id": run["id"]}
    return {"messageId": "m-1", "receiptHandle": "r-1", "body": json.dumps(body)}


def calls_of(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the calls whose outputs a run waits for."""
    found: list[dict[str, Any]] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return found


def _parameters(path: str) -> dict[str, str]:
    """Return the path parameters as API Gateway passes them. Its routes name only the thread."""
    found = re.fullmatch(r"/threads/(?!runs$)([^/]+)/runs.*", path)
    return {"threadId": found[1]} if found else {}
