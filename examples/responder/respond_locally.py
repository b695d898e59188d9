"""Runs the responder against a local Message API, in place of EventBridge, SQS and Lambda."""

import json
import os
import sys
import time
from contextlib import suppress
from http.client import IncompleteRead
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

import openai

# The folder is deployed as it is; it is not a package.
sys.path.insert(0, str(Path(__file__).with_name("responder")))

from start_run import start_run

_ATTEMPTS, _PAUSE = 650, 1  # seconds: longer than a run can be active


def main() -> None:
    """Start a run for each new message of a user, until the local API ends."""
    assistant_id = os.environ.get("ASSISTANT_ID") or sys.exit("ASSISTANT_ID is not set.")
    try:
        client = openai.OpenAI(base_url=os.environ.get("OPENAI_BASE_URL") or "http://127.0.0.1:8000/v1")
        client.beta.assistants.retrieve(assistant_id)
    except openai.OpenAIError as error:
        sys.exit(f"OPENAI_BASE_URL, OPENAI_API_KEY or ASSISTANT_ID is wrong: {error}")
    with suppress(IncompleteRead, KeyboardInterrupt), urlopen(str(client.base_url.join("/_local/events"))) as events:  # noqa: S310
        print("Starting a run for each new message of a user.", flush=True)
        for line in events:
            event = json.loads(line.removeprefix(b"data: ") if line.startswith(b"data: ") else "{}")
            if event.get("detail-type") == "thread.message.created":
                Thread(target=_deliver, args=(event, client, assistant_id), daemon=True).start()


def _deliver(event: dict[str, Any], client: openai.OpenAI, assistant_id: str) -> None:
    """Retry as the queue does."""
    for _ in range(_ATTEMPTS):
        try:
            run_id = start_run(event, client, assistant_id)
        except openai.OpenAIError as error:
            print(f"{event['detail']['id']}: {error}", flush=True)
            time.sleep(_PAUSE)
        else:
            print(f"{event['detail']['id']}: {run_id or 'needs no run'}", flush=True)
            return


if __name__ == "__main__":
    main()
