"""Runs the responder against a local Message API: what EventBridge, SQS and Lambda do for it when it is deployed."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai

# The folder is what is deployed, not a package.
sys.path.insert(0, str(Path(__file__).with_name("responder")))

from answer import Settings, answer

_RECEIVES = 5
_FIRST_PAUSE = float(os.environ.get("PAUSE") or 1)  # seconds


def main() -> int:
    """Answer every message of role user from now on, until the local API ends; with `-`, those of events in stdin."""
    root = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
    api = openai.OpenAI(base_url=f"{root}/v1", api_key=os.environ.get("MESSAGE_API_KEY") or "none")
    chat = openai.OpenAI()  # OPENAI_BASE_URL and OPENAI_API_KEY
    settings = Settings(
        model=os.environ.get("MODEL") or "gpt-5-mini",
        instructions=os.environ.get("INSTRUCTIONS", ""),
        last_messages=int(os.environ.get("LAST_MESSAGES") or 20),
        assistant_id=os.environ.get("ASSISTANT_ID") or "asst_responder",
    )

    def respond(event: dict[str, Any]) -> str:
        command = answer(event, api, chat, settings)
        if command is None:
            return "answered already, or gone"
        told = httpx.post(f"{root}/_local/commands", json=command, timeout=60)
        return "answered" if told.is_success else f"rejected: {told.text}"

    try:
        for line in sys.stdin if sys.argv[1:] == ["-"] else _subscribed(f"{root}/_local/events"):
            event = json.loads(line)
            if event["detail-type"] == "thread.message.created" and event["detail"]["role"] == "user":
                _deliver(event, respond)
    except httpx.HTTPError as error:
        print(f"No local API, or not any more: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _subscribed(url: str) -> Iterator[str]:
    with httpx.stream("GET", url, timeout=httpx.Timeout(5, read=None)) as answered:
        answered.raise_for_status()
        print("Answering what is asked from now on.", flush=True)
        for line in answered.iter_lines():
            if line.startswith("data: "):
                yield line.removeprefix("data: ")


def _deliver(event: dict[str, Any], respond: Callable[[dict[str, Any]], str]) -> None:
    """Try as often as the queue does; then show the event, as the dead-letter queue would keep it."""
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
