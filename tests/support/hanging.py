"""`python -m tests.support.hanging BEHAVIOUR FUNCTION…`: functions on an AWS that stops responding.

`hang` takes requests and never answers, `slow` reports conflicts, each just within the time for reading, and hangs at
last. One function runs in the main thread, as in Lambda; several run side by side. Prints JSON: for each function its
answer, and the seconds.
"""

import contextlib
import importlib
import json
import os
import socketserver
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from tests.support import event_sources, stream
from tests.support.client import OPERATIONS, Client
from tests.support.refusals import BODIES, IDS, NOTHING, NOWHERE
from tools import environment
from tools.local import template

_KEY = {"project": {"S": "a"}, "name": {"S": "n"}, "trusted": {"BOOL": True}, "created": {"N": "1"}, "v": {"N": "1"}}
_MESSAGE = {"threadId": {"S": "a#thread_1"}, "messageId": {"S": NOTHING}, "role": {"S": "user"}, "content": {"S": "[]"}}
_MESSAGE |= {"v": {"N": "1"}, "version": {"N": "1"}}
_COMMAND = {"command_id": "c", "project": "a", "thread_id": NOWHERE, "role": "user", "content": "x"}
_SLOW_SECONDS = 2.5
_SLOW_ANSWERS = 4


class _Aws(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    behaviour = "hang"
    slow_answers = 0


class _Connection(socketserver.StreamRequestHandler):
    server: _Aws

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._answer()

    def _answer(self) -> None:
        while self.rfile.readline():
            headers = dict(line.decode().strip().lower().split(": ", 1) for line in iter(self.rfile.readline, b"\r\n"))
            body = self.rfile.read(int(headers["content-length"]))
            if headers["x-amz-target"].endswith(".getitem") and b'"key#' in body:
                self._send(200, {"Item": _KEY})
            elif self.server.behaviour == "slow" and self.server.slow_answers < _SLOW_ANSWERS:
                self.server.slow_answers += 1
                time.sleep(_SLOW_SECONDS)
                self._send(400, {"__type": "TransactionConflictException", "message": "conflict"})
            else:
                time.sleep(600)

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        self.wfile.write(b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text))


def _call(function: str) -> dict[str, Any]:
    """Return what a function answered, or which error it raised, and after how many seconds."""
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
    server = _Aws(("127.0.0.1", 0), _Connection)
    server.behaviour = behaviour
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    os.environ |= {"AWS_ENDPOINT_URL_SQS": url, "AWS_ENDPOINT_URL_EVENTBRIDGE": url}
    environment.lead_to(template.load(), url)
    from shared.store import table

    assert table.set_deadline.__defaults__ == (12.0,), "docs/reliability.md says so"
    if len(functions) == 1:
        found = [_call(functions[0])]
    else:
        with ThreadPoolExecutor(len(functions)) as pool:
            found = list(pool.map(_call, functions))
    sys.stdout.write("\n" + json.dumps(dict(zip(functions, found, strict=True))))
    sys.stdout.flush()
    # Threads still wait for what never comes.
    os._exit(0)


if __name__ == "__main__":
    main()
