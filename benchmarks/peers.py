"""Measures the alternatives to this API. They and this API take turns.

Stores of messages work on the same DynamoDB Local with the same messages. A server of the Assistants API, llamphouse,
runs next to the local API. Both servers keep their data in memory and call the same model.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import uv

from benchmarks import figures, plot, servers
from benchmarks.figures import ROOT, TEXT, Report
from benchmarks.servers import MODEL_SECONDS, Server

SIZES = (10, 100, 1_000, 5_000)
PEERS = {
    "langchain": ("langchain-community==0.4.2", "boto3"),
    "chainlit": ("chainlit==2.12.0", "boto3"),
    "langgraph": ("langgraph-checkpoint-aws==1.2.6", "langgraph"),
}
SERVER = ("llamphouse==1.3.0", "openai")
OURS, PEER = "this API", "llamphouse"
STARTS = 3
OPERATIONS = ("append one", "read the last 20")


class Took(NamedTuple):
    """The milliseconds, calls, read and write units of one operation."""

    ms: float
    calls: int
    reads: float
    writes: float

    def __str__(self) -> str:
        return f"{self.ms:.1f} ms, {self.calls}, {self.reads:g} + {self.writes:g}"


def run() -> Report:
    """Measure the stores at all sizes, then the servers."""
    found: dict[tuple[str, int], list[Took]] = {}
    with figures.on_engine(), ExitStack() as stack:
        pythons = {OURS: sys.executable}
        pythons |= {name: stack.enter_context(_python(packages)) for name, packages in PEERS.items()}
        for size, side in product(SIZES, pythons):
            figures.say(f"  {size:,} messages, {side}")
            found[side, size] = _store(side, pythons[side], size)
    points = {side: [(size, found[side, size][1]) for size in SIZES if found[side, size]] for side in pythons}
    units = {side: [(size, took.reads + took.writes) for size, took in taken] for side, taken in points.items()}
    title = "Read and write units to read the last 20 messages, by length of the thread"
    plot.write(ROOT / "docs" / "peers.svg", title, ("messages", "units"), units)
    rows = [
        [what, f"{size:,}", *(found[side, size][place] if found[side, size] else "fails" for side in pythons)]
        for (place, what), size in product(enumerate(OPERATIONS), SIZES)
    ]
    measured = f"Measured on {dt.datetime.now(dt.UTC):%Y-%m-%d} by `make bench ONLY=peers`."
    stores, both = figures.table(["operation", "messages", *pythons], rows), figures.table(["", OURS, PEER], _servers())
    return Report(text=f"{measured}\n\n{stores}\n\n{both}")


def _store(side: str, python: str, size: int) -> list[Took]:
    """Return the figures of a store's operations in a thread of this size, or [] if the store fails in a long thread.

    Raises CalledProcessError if it fails in a thread of the smallest size.
    """
    done = subprocess.run(
        [python, "-m", "benchmarks.peer_worker", "ours" if side == OURS else side, str(size)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=Path(python).parent,  # Chainlit writes its settings into the current folder
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if size > SIZES[0] else None,
        check=size == SIZES[0],
    )
    return [Took(*taken) for taken in json.loads(done.stdout.splitlines()[-1])] if done.returncode == 0 else []


@contextmanager
def _python(packages: tuple[str, ...]) -> Iterator[str]:
    """Yield the interpreter of an environment that has only these packages and their dependencies."""
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/bin/python"
        options = ["--quiet", "--exclude-newer", plot.EXCLUDE_NEWER, "--python"]
        subprocess.run([uv.find_uv_bin(), "venv", *options, sys.executable, folder], check=True)
        subprocess.run([uv.find_uv_bin(), "pip", "install", *options, python, *packages], check=True)
        yield python


def _servers() -> list[list[str]]:
    """Return the rows with the figures of the two servers of the Assistants API."""
    with servers.model() as chat, _python(SERVER) as python:
        variables = os.environ | {"LLAMPHOUSE_TELEMETRY": "0", "MODEL_URL": chat.base_url}
        command = [python, str(Path(__file__).with_name("peer_server.py"))]
        peer = partial(servers.serving, command, Path(python).parent, variables, "/assistants")
        sides: dict[str, Callable[[], AbstractContextManager[Server]]] = {OURS: partial(servers.ours, chat), PEER: peer}
        starts: dict[str, list[float]] = {OURS: [], PEER: []}
        for _, side in product(range(STARTS), sides):
            with sides[side]() as server:
                starts[side].append(server.seconds_to_start)
        with sides[OURS]() as ours, sides[PEER]() as other:
            work = _requests(ours, ours.create("/assistants", model="m")["id"]), _requests(other, "asst_1")
            times = figures.alternate({(what, side): work[side][what] for what in work[0] for side in (0, 1)})
            memory = [f"{server.megabytes:.0f}" for server in (ours, other)]
    return [
        ["start, s", *map(figures.spread, starts.values())],
        ["memory after these requests, MB", *memory],
        *([what, *(figures.spread(times[what, side]) for side in (0, 1))] for what in work[0]),
    ]


def _requests(server: Server, assistant: str) -> dict[str, Callable[[], float]]:
    """Return functions that each measure a request on a thread of 20 messages, in milliseconds."""
    thread = f"/threads/{server.create('/threads')['id']}"
    create = partial(server.create, f"{thread}/messages", role="user", content=TEXT)
    for _ in range(20):
        create()
    run = partial(server.run, thread, assistant)
    return {
        "create message, ms": partial(figures.milliseconds, create),
        "list of 20 messages, ms": lambda: figures.milliseconds(lambda: server.http.get(f"{thread}/messages?limit=20")),
        "a run without its model call, polled, ms": lambda: figures.milliseconds(run) - MODEL_SECONDS * 1000,
    }
