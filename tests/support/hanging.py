"""`python -m tests.support.hanging BEHAVIOUR FUNCTION…`: functions on an AWS that stops responding.

With `hang`, AWS takes requests and never responds. With `slow`, it reports conflicts, each just within the time limit
for reading, and finally hangs. One function runs in the main thread, as in Lambda. Several functions run in parallel.
Prints JSON: the response and the seconds of each function.
"""

import importlib
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from tests.support import event_sources, http_stub, stream
from tests.support.client import OPERATIONS, Client
from tests.support.http_stub import Request, Response
from tests.support.refusals import BODIES, IDS, NOTHING, NOWHERE
from tools import environment
from tools.local import template

_KEY = {"project": {"S": "a"}, "name": {"S": "n"}, "trusted": {"BOOL": True}, "created": {"N": "1"}, "v": {"N": "1"}}
_MESSAGE = {"threadId": {"S": "a#thread_1"}, "messageId": {"S": NOTHING}, "role": {"S": "user"}, "content": {"S": "[]"}}
_MESSAGE |= {"v": {"N": "1"}, "version": {"N": "1"}}
_COMMAND = {"command_id": "c", "project": "a", "thread_id": NOWHERE, "role": "user", "content": "x"}
_SLOW_SECONDS = 2.5
_SLOW_ANSWERS = 4


def _aws(behaviour: str) -> Callable[[Request], Response | None]:
    """Return the response of AWS."""
    slow_answers = itertools.count()

    def respond(request: Request) -> Response | None:
        if request.headers["x-amz-target"].endswith(".GetItem") and b'"key#' in request.body:
            return Response(200, {"Item": _KEY})
        if behaviour == "slow" and next(slow_answers) < _SLOW_ANSWERS:
            time.sleep(_SLOW_SECONDS)
            return Response(400, {"__type": "TransactionConflictException", "message": "conflict"})
        time.sleep(600)
        return None

    return respond


def _call(function: str) -> dict[str, Any]:
    """Return a function's response or the error that it raised, and the seconds that it took."""
    handler = importlib.import_module(f"functions.{function}").handler
    context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 60_000)
    started = time.monotonic()
    try:
        answer = handler(_event(function), context)
    except Exception as error:  # noqa: BLE001 - as the runtime does
        answer = type(error).__name__
    return {"answer": answer, "seconds": time.monotonic() - started}


def _event(function: str) -> dict[str, Any]:
    if function in OPERATIONS:
        return Client("a", secret="sk-any").event(function, *IDS[function], body=BODIES.get(function))
    records: dict[str, dict[str, Any]] = {
        "ingest_message": event_sources.queued(json.dumps(_COMMAND), "1"),
        "erase_thread": event_sources.queued(json.dumps(event_sources.asked("a#thread_1")), "1"),
        "queue_jobs": {"dynamodb": event_sources.change("a#thread_1", "head")},
        "publish_events": stream.record(1, None, _MESSAGE),
    }
    return {"Records": [records[function]]} if function in records else {}


def main() -> None:
    behaviour, *functions = sys.argv[1:]
    with http_stub.serving(_aws(behaviour)) as url, ThreadPoolExecutor(len(functions)) as pool:
        os.environ |= {"AWS_ENDPOINT_URL_SQS": url, "AWS_ENDPOINT_URL_EVENTBRIDGE": url}
        environment.lead_to(template.load(), url)
        from shared.store import table

        assert table.set_deadline.__defaults__ == (12.0,), "docs/reliability.md says so"
        found = [_call(functions[0])] if len(functions) == 1 else list(pool.map(_call, functions))
        sys.stdout.write("\n" + json.dumps(dict(zip(functions, found, strict=True))))
        sys.stdout.flush()
        # Threads still wait for responses that never come.
        os._exit(0)


if __name__ == "__main__":
    main()
