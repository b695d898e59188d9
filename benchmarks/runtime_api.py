"""A front that speaks Lambda's Runtime API to one process of the real runtime client, to time its initialization."""

import os
import queue
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from benchmarks import artifacts
from benchmarks.artifacts import Artifacts
from tests.support import http_stub
from tests.support.http_stub import Request

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


def _init(handler: str, task: Path, *packages: Path) -> float:
    asked: queue.Queue[float | str] = queue.Queue()

    def respond(request: Request) -> None:
        """Note when the first event is asked for, or the error of the initialization; there is no event."""
        asked.put(time.perf_counter() if request.method == "GET" else request.body.decode())

    with http_stub.serving(respond) as url:
        environment = artifacts.environment() | {
            "AWS_LAMBDA_RUNTIME_API": url.removeprefix("http://"),
            "AWS_LAMBDA_FUNCTION_NAME": handler,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "LAMBDA_TASK_ROOT": str(task),
            "PYTHONPATH": os.pathsep.join(map(str, [task, *packages])),
        }
        # Without site-packages: the packages of this environment are not the function's.
        command = [sys.executable, "-S", "-B", "-m", "awslambdaric", handler]
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            first = asked.get(timeout=_SECONDS_TO_START)
        finally:
            process.kill()
            process.wait()
    if isinstance(first, str):
        raise RuntimeError(f"{handler} does not start: {first}")  # noqa: TRY004 - what failed is the function
    return (first - started) * 1000
