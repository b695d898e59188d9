"""Warm handlers beside bare ones: event in, answer out, DynamoDB answered by a canned HTTP response.

A bare handler makes the same AWS calls with boto3, one after the other, and reads and writes JSON: no key, no rules, no
errors, no log. Ours logs as it does when deployed. Both sides take turns in one process.
"""

import contextlib
import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name

from benchmarks import canned, figures
from benchmarks.canned import Call
from benchmarks.figures import TEXT, Report, Row
from tests.support.client import Client
from tools.local import template
from tools.local.dynamodb import moto

CALLS = 40
BOUND = 1.05

Event = dict[str, Any]
Handler = Callable[[Event], Any]


def run() -> Report:
    """Measure all operations, with messages of 900 characters."""
    if sys.platform == "linux":
        # A function of 512 MB has a third of a core. With two cores, a list's second thread runs on the other one, and
        # to wake it there takes as much time as its work.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # The logger keeps the stdout that it first sees, and the level.
    os.environ["POWERTOOLS_LOG_LEVEL"] = "INFO"
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        times = _measure()
    ratios = {name: figures.ratio(sides["ours"], sides["bare"]) for name, sides in times.items()}
    rows = [
        [name, figures.spread(sides["bare"], ".2f"), figures.spread(sides["ours"], ".2f"), ratios[name]]
        for name, sides in times.items()
    ]
    text = figures.table(["operation", "bare, ms", "ours, ms", "ratio"], rows)
    summary = Row("Warm handler, against a bare one", figures.highest(ratios), f"{BOUND:.2f}, each")
    return Report(text, (summary,))


def _measure() -> dict[str, dict[str, list[float]]]:
    """Return the processor milliseconds of a call, by operation and side."""
    with moto.in_memory(template.load()):
        client = Client(trusted=True)
        events = _events(client)
        recorded = {name: _recorded(name, event) for name, event in events.items()}
        with canned.recording() as calls:
            _handler("retrieve_thread")(
                Client(client.project, secret=client.secret).event("retrieve_thread", "thread_x")
            )
        key = calls[0].answer
        aws = boto3.client("dynamodb")
    gc.freeze()  # a deployed function has no moto, whose many objects would slow the collections of both sides
    found = {}
    for name, event in events.items():
        figures.say(f"  {name}")
        sides: dict[str, Handler] = {"bare": partial(_bare, aws, recorded[name]), "ours": _handler(name)}
        with canned.http_handler(recorded[name], key):
            found[name] = figures.alternate(
                {side: partial(_milliseconds, handler, event) for side, handler in sides.items()}
            )
    return found


def _events(client: Client) -> dict[str, Event]:
    """Return an event for each operation; the destructive ones come last."""
    thread = client.thread(metadata={"user_id": "u"})
    messages = [client.message(thread, TEXT)["id"] for _ in range(101)]
    for _ in range(20):
        client.thread(metadata={"user_id": "u"})
    metadata = {"metadata": {"user_id": "u", "topic": "weather"}}
    events = {
        "create_message": client.event("create_message", thread, body={"role": "user", "content": TEXT}),
        "retrieve_message": client.event("retrieve_message", thread, messages[0]),
        "list_messages, 20": client.event("list_messages", thread, query={"limit": 20}),
        "list_messages, 100": client.event("list_messages", thread, query={"limit": 100}),
        "modify_message": client.event("modify_message", thread, messages[0], body=metadata),
        "create_thread": client.event("create_thread", body=metadata),
        "retrieve_thread": client.event("retrieve_thread", thread),
        "list_threads, 20": client.event("list_threads", query={"limit": 20}),
        "modify_thread": client.event("modify_thread", thread, body=metadata),
        "delete_message": client.event("delete_message", thread, messages[0]),
        "delete_thread": client.event("delete_thread", thread),
    }
    for event in events.values():
        event["headers"]["accept-encoding"] = "identity"
    return events


def _recorded(name: str, event: Event) -> list[Call]:
    """Run our handler once on moto; return its calls."""
    with canned.recording() as calls:
        answer = _handler(name)(event)
    if answer["statusCode"] != 200:
        raise RuntimeError(answer["body"])
    return calls


def _handler(name: str) -> Handler:
    handler = importlib.import_module(f"functions.{name.partition(',')[0]}").handler
    return lambda event: handler(event, None)


def _bare(aws: Any, calls: list[Call], event: Event) -> Any:
    json.loads(event.get("body", "{}"))
    found: list[Any] = []
    for call in calls:
        answer = getattr(aws, xform_name(call.operation))(**call.parameters)
        found += map(_plain, _items(answer))
        if call.operation == "TransactWriteItems":
            found += [_plain(write["Put"]["Item"]) for write in call.parameters["TransactItems"] if "Put" in write]
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(found)}


def _items(answer: dict[str, Any]) -> list[Any]:
    """Return the items that an answer of DynamoDB's holds, whatever the operation."""
    responses = answer.get("Responses", [])
    batches = list(responses.values()) if isinstance(responses, dict) else []
    single = [answer[name] for name in ("Item", "Attributes") if name in answer]
    return [*answer.get("Items", []), *single, *(item for items in batches for item in items)]


def _plain(item: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, attribute in item.items() for value in attribute.values()}


def _milliseconds(handler: Handler, event: Event) -> float:
    started = time.process_time()
    for _ in range(CALLS):
        handler(event)
    return (time.process_time() - started) * 1000 / CALLS
