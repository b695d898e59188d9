"""Warm handlers against bare ones: an event in, a response out. Recorded HTTP responses stand in for DynamoDB.

A bare handler makes the same AWS calls with boto3, one after the other, and reads and writes JSON. It has no API key,
no rules, no errors and no log. Our handler logs as it does when deployed. Both sides take turns in one process.
"""

import copy
import gc
import importlib
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import boto3
import botocore.httpsession
from botocore import xform_name
from botocore.awsrequest import AWSResponse

from benchmarks import figures
from benchmarks.figures import TEXT, Ratio, Report, Row
from tests.support.client import Client
from tests.support.hooks import hooked
from tools.local import template
from tools.local.dynamodb import moto

CALLS = 40
BOUND = 1.05

# The look-up of the API key does not count as a call of the operation: it happens once a minute.
_KEY_LOOK_UP = b'"key#'

Event = dict[str, Any]
Handler = Callable[[Event], Any]


class Call(NamedTuple):
    """One call of AWS: its operation, its parameters, and the HTTP response to it."""

    operation: str
    parameters: dict[str, Any]
    response: AWSResponse


def run() -> Report:
    """Measure all operations, with messages of 900 characters."""
    if sys.platform == "linux":
        # A function of 512 MB has a third of a core. With two cores, a list's second thread runs on the other core. To
        # wake that thread there takes as much time as its work.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # The logger keeps the first stdout and the first level that it sees.
    os.environ["POWERTOOLS_LOG_LEVEL"] = "INFO"
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        ratios = _measure()
    return Report([Row("Warm handler, against a bare one", figures.highest(ratios), f"{BOUND:.2f}, each")])


def _measure() -> dict[str, Ratio]:
    """Return the ratio of our handler's processor time to the bare handler's, by operation."""
    with moto.in_memory(template.load()):
        client = Client(trusted=True)
        with _recording() as calls:
            client.call("retrieve_thread", "thread_x")
        key = calls[0].response  # later calls do not look the key up
        events = _events(client)
        recorded = {name: _recorded(name, event) for name, event in events.items()}
        aws = boto3.client("dynamodb")
    gc.freeze()  # moto's many objects would slow the garbage collections of both sides; a deployed function has none
    found = {}
    for name, event in events.items():
        ours = _handler(name)
        handlers: dict[str, Handler] = {"bare": partial(_bare, aws, recorded[name]), "ours": ours}
        with _canned(recorded[name], key):
            times = figures.alternate({side: partial(_milliseconds, of, event) for side, of in handlers.items()})
            if (answer := ours(event))["statusCode"] != 200:
                raise RuntimeError(answer["body"])
        found[name] = figures.ratio(times["ours"], times["bare"])
    return found


def _events(client: Client) -> dict[str, Event]:
    """Return an event for each operation. The events that delete come last."""
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
    """Run our handler once on moto. Return its AWS calls."""
    with _recording() as calls:
        _handler(name)(event)
    return calls


@contextmanager
def _recording() -> Iterator[list[Call]]:
    """Yield the list of the store's calls. Each call is added when its response has arrived."""
    calls: list[Call] = []

    def ask(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = copy.deepcopy(params)

    def answer(model: Any, context: dict[str, Any], http_response: AWSResponse, **_: Any) -> None:
        calls.append(Call(model.name, context["asked"], http_response))

    with hooked(provide_client_params=ask, after_call=answer):
        yield calls


@contextmanager
def _canned(calls: list[Call], key: AWSResponse) -> Iterator[None]:
    """Respond to every request of botocore with the recorded response of its operation.

    Respond to the look-up of an API key with `key`.
    """
    answers = {call.operation: call.response for call in calls}

    def send(_: object, request: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
        return key if _KEY_LOOK_UP in request.body else answers[operation]

    with mock.patch.object(botocore.httpsession.URLLib3Session, "send", send):
        yield


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
    """Return the items in a response of DynamoDB, for any operation."""
    single = [answer[name] for name in ("Item", "Attributes") if name in answer]
    return [*answer.get("Items", []), *single, *itertools.chain(*answer.get("Responses", {}).values())]


def _plain(item: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, attribute in item.items() for value in attribute.values()}


def _milliseconds(handler: Handler, event: Event) -> float:
    started = time.process_time()
    for _ in range(CALLS):
        handler(event)
    return (time.process_time() - started) * 1000 / CALLS
