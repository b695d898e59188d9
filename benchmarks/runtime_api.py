"""A front that speaks Lambda's Runtime API to one process of the real runtime client, to time its initialization."""

import http.server
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

from benchmarks import artifacts
from benchmarks.artifacts import Artifacts

_FLOOR = "import boto3\n\nclient = boto3.client('dynamodb')\n\n\ndef handler(event, context):\n    return event\n"
_SECONDS_TO_START = 60.0


def sides(built: Artifacts) -> dict[str, partial[float]]:
    """Return what measures the Init Duration of each function, and of the floors, in milliseconds."""
    module = built.floor.parent / "bare"
    module.mkdir()
    (module / "bare.py").write_text(_FLOOR)
    found = {
        "floor": partial(_init, "bare.handler", module, built.floor, built.runtime),
        "floor without bytecode": partial(_init, "bare.handler", module, built.floor_without_bytecode, built.runtime),
    }
    for name, bundle in built.bundles.items():
        found[name] = partial(_init, f"functions.{name}.handler", bundle, built.layer, built.runtime)
    return found


class _Front(http.server.BaseHTTPRequestHandler):
    """Takes the time at which the first event is asked for; an error of the initialization is told instead."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[queue.Queue[float | str]] = queue.Queue()

    def do_GET(self) -> None:
        self.asked.put(time.perf_counter())
        self.rfile.read()  # until the process is ended: there is no event

    def do_POST(self) -> None:
        self.asked.put(self.rfile.read(int(self.headers["content-length"])).decode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        pass


@contextmanager
def _front() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Front) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def _init(handler: str, task: Path, *packages: Path) -> float:
    with _front() as address:
        environment = artifacts.environment() | {
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LAMBDA_FUNCTION_NAME": handler,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "LAMBDA_TASK_ROOT": str(task),
            "PYTHONPATH": os.pathsep.join(map(str, [task, *packages])),
        }
        started = time.perf_counter()
        # Without site-packages: the packages of this environment are not the function's.
        command = [sys.executable, "-S", "-B", "-m", "awslambdaric", handler]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            asked = _Front.asked.get(timeout=_SECONDS_TO_START)
        finally:
            process.kill()
            process.wait()
    match asked:
        case float():
            return (asked - started) * 1000
        case _:
            raise RuntimeError(f"{handler} does not start: {asked}")
