"""What people would pick instead, taking turns with this API.

Stores of messages work on the same DynamoDB Local with the same messages. A server of the Assistants API, llamphouse,
works beside the local API; both keep their data in memory and ask the same model.
"""

import datetime as dt
import json
import os
import statistics
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
from benchmarks.figures import ROOT, SAMPLES, TEXT, Report
from benchmarks.servers import MODEL_SECONDS, Server
from tests.support import capacity
from tests.support.client import Client
from tests.support.filled import fill
from tools.local import template
from tools.local.dynamodb import database, engine

SIZES = (10, 100, 1_000, 5_000)
PEERS = {
    "langchain": ("langchain-community==0.4.2", "boto3"),
    "chainlit": ("chainlit==2.12.0", "boto3"),
    "langgraph": ("langgraph-checkpoint-aws==1.2.6", "langgraph"),
}
SERVER = ("llamphouse==1.3.0", "openai")
OURS, PEER = "this API", "llamphouse"
STARTS = 3
OPERATIONS = {"append": "append one", "last": "read the last 20"}


class Took(NamedTuple):
    """What one operation took: milliseconds, calls, read and write units; or how it failed."""

    ms: float
    calls: int
    reads: float
    writes: float
    error: str


Side = Callable[[str, int], Took]
Found = dict[tuple[str, int, str], list[Took]]


def run() -> Report:
    """Measure the stores at all sizes at which they work, then the servers."""
    with ExitStack() as stack:
        url = stack.enter_context(engine.running())
        stack.enter_context(database.at_url(template.load(), url))
        sides = {OURS: _ours()} | {name: stack.enter_context(_peer(name, packages)) for name, packages in PEERS.items()}
        found = _measure(sides)
    lines = {side: points for side in sides if (points := _points(found, side))}
    title = "Read and write units to read the last 20 messages, by length of the thread"
    plot.write(ROOT / "docs" / "peers.svg", title, ("messages", "units"), lines)
    rows = [
        [what, f"{size:,}", *(_cell(found, side, size, name) for side in sides)]
        for (name, what), size in product(OPERATIONS.items(), SIZES)
    ]
    measured = f"Measured on {dt.datetime.now(dt.UTC):%Y-%m-%d} by `make bench ONLY=peers`."
    stores, both = figures.table(["operation", "messages", *sides], rows), figures.table(["", OURS, PEER], _servers())
    return Report(f"{measured}\n\n{stores}\n\n{both}")


def _measure(sides: dict[str, Side]) -> Found:
    found: Found = {}
    working = list(sides)
    for size in SIZES:
        figures.say(f"  {size:,} messages")
        working = [
            name for name in working if not (sides[name]("seed", size).error or sides[name]("append", size).error)
        ]
        for operation, _, name in product(OPERATIONS, range(SAMPLES), working):
            found.setdefault((name, size, operation), []).append(sides[name](operation, size))
    return found


def _points(found: Found, side: str) -> plot.Points:
    taken = [(size, found[side, size, "last"][0]) for size in SIZES if (side, size, "last") in found]
    return [(size, first.reads + first.writes) for size, first in taken]


def _cell(found: Found, side: str, size: int, operation: str) -> str:
    taken = found.get((side, size, operation))
    if not taken:
        return "fails"
    first = taken[0]
    return f"{statistics.median(took.ms for took in taken):.1f} ms, {first.calls}, {first.reads:g} + {first.writes:g}"


@contextmanager
def _peer(name: str, packages: tuple[str, ...]) -> Iterator[Side]:
    """Run a peer in an environment of its own for as long as the context."""
    environment, pipe = os.environ | {"PYTHONPATH": str(ROOT)}, subprocess.PIPE
    # In the folder of its environment, because Chainlit writes its settings where it is started.
    with _python(packages) as python:
        command = [python, "-m", "benchmarks.peer_worker", name]
        process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=Path(python).parent
        )

        def side(operation: str, size: int) -> Took:
            if process.stdin is None or process.stdout is None:
                raise AssertionError  # they are pipes
            process.stdin.write(f"{operation} {size}\n")
            process.stdin.flush()
            for line in process.stdout:
                if line.startswith('{"ms"'):
                    return Took(**json.loads(line))
            raise RuntimeError(f"{name} has ended")

        try:
            yield side
        finally:
            process.communicate()  # the end of its input ends it


@contextmanager
def _python(packages: tuple[str, ...]) -> Iterator[str]:
    """Yield the interpreter of an environment with nothing but these packages."""
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/bin/python"
        for command in (
            ["venv", "--python", sys.executable, folder],
            ["pip", "install", "--python", python, *packages],
        ):
            subprocess.run(
                [uv.find_uv_bin(), *command[:-1], "--quiet", "--exclude-newer", plot.EXCLUDE_NEWER, command[-1]],
                check=True,
            )
        yield python


def _ours() -> Side:
    """Return our handlers, in this process."""
    client = Client()
    threads: dict[int, str] = {}

    def side(operation: str, size: int) -> Took:
        if operation == "seed":
            threads[size] = fill(client, size, TEXT, age_seconds=3_600).id
            return Took(0, 0, 0, 0, "")
        thread = threads[size]
        operate = (
            partial(client.message, thread, TEXT) if operation == "append" else partial(client.page, thread, limit=20)
        )
        milliseconds = figures.milliseconds(operate)
        with capacity.recorded() as calls:
            operate()
        units = sum(call.read_units for call in calls), sum(call.write_units for call in calls)
        return Took(milliseconds, len(calls), *units, "")

    return side


def _servers() -> list[list[str]]:
    """Return the rows of what the two servers of the Assistants API take."""
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
    """Return what measures requests on a thread of 20 messages, in milliseconds."""
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
