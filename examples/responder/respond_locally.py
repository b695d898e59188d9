"""Runs the responder against a local Message API, in place of EventBridge, SQS and Lambda."""

import http.client
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai

# The folder is deployed as it is; it is not a package.
sys.path.insert(0, str(Path(__file__).with_name("responder")))

from answer import Settings, answer

_RECEIVES = 5
_FIRST_PAUSE = float(os.environ.get("PAUSE") or 1)  # seconds


def main() -> int:
    """Reply to every new message of role user until the local API ends. With `-`, reply to the events in stdin."""
    port = int(os.environ.get("PORT") or 8000)
    api = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=os.environ.get("MESSAGE_API_KEY") or "none")
    chat = _chat(port)
    settings = Settings(
        model=_model(),
        instructions=os.environ.get("INSTRUCTIONS", ""),
        last_messages=int(os.environ.get("LAST_MESSAGES") or 20),
        assistant_id=os.environ.get("ASSISTANT_ID") or "asst_responder",
    )

    def respond(event: dict[str, Any]) -> str:
        command = answer(event, api, chat, settings)
        if command is None:
            return "answered already, or gone"
        told = _request(port, "POST", "commands", json.dumps(command))
        if told.status == http.HTTPStatus.ACCEPTED:
            return "answered; the command is still being tried"
        return "answered" if told.status == http.HTTPStatus.OK else f"rejected: {told.read().decode()}"

    try:
        for line in sys.stdin if sys.argv[1:] == ["-"] else _subscribed(port):
            event = json.loads(line)
            if event["detail-type"] == "thread.message.created" and event["detail"]["role"] == "user":
                _deliver(event, respond)
    except OSError as error:
        print(f"No local API on port {port}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _model() -> str:
    """Return MODEL. There is no default: providers shut models down."""
    model = os.environ.get("MODEL")
    if not model:
        raise SystemExit("MODEL is not set: set it to the name of a model of the chat endpoint.")
    return model


def _chat(port: int) -> openai.OpenAI:
    """Return a client of the chat endpoint at OPENAI_BASE_URL, with OPENAI_API_KEY."""
    chat = openai.OpenAI()
    # OPENAI_BASE_URL points at the Message API in a terminal that was used for the README's quick start.
    if (chat.base_url.host, chat.base_url.port) in [("127.0.0.1", port), ("localhost", port)]:
        raise SystemExit("OPENAI_BASE_URL is this Message API, which runs no models: set it to a chat endpoint.")
    return chat


def _request(port: int, method: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, f"/_local/{path}", body and body.encode(), {"content-type": "application/json"})
    return connection.getresponse()


def _subscribed(port: int) -> Iterator[str]:
    answered = _request(port, "GET", "events")
    if answered.status != http.HTTPStatus.OK:
        raise SystemExit(answered.read().decode())
    print("Answering what is asked from now on.", flush=True)
    for line in answered:
        if line.startswith(b"data: "):
            yield line.removeprefix(b"data: ").decode()


def _deliver(event: dict[str, Any], respond: Callable[[dict[str, Any]], str]) -> None:
    """Try as often as the queue does. Then print the event, which the dead-letter queue would keep."""
    message_id = event["detail"]["id"]
    for receive in range(1, _RECEIVES + 1):
        try:
            print(f"{message_id}: {respond(event)}", flush=True)
        except openai.AuthenticationError:
            raise SystemExit("A key is wrong: MESSAGE_API_KEY, or OPENAI_API_KEY of the chat endpoint.") from None
        except openai.OpenAIError as error:
            print(f"{message_id}: {type(error).__name__}", flush=True)
            if receive < _RECEIVES:
                time.sleep(_FIRST_PAUSE * 2 ** (receive - 1))
        else:
            return
    print(f"dead letter: {json.dumps(event, ensure_ascii=False)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
