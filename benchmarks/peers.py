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
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import uv

from benchmarks import figures, plot, servers
from benchmarks.figures import ROOT, SAMPLES, TEXT, Report
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
OPERATIONS = {"append": "append one", "last": "read the last 20"}


class Took(NamedTuple):
    """What one operation took: milliseconds, or its calls with their read and write units; or how it failed."""

    ms: float
    calls: int
    reads: float
    writes: float
    error: str


Side = Callable[..., Took]
# The operations by side, size and name: first the one whose calls are recorded, then the measured ones.
Found = dict[tuple[str, int, str], list[Took]]


def run() -> Report:
    """Measure the stores at all sizes at which they work, then the servers."""
    with figures.on_engine(), ExitStack() as stack:
        sides = {OURS: stack.enter_context(_side("ours", sys.executable))}
        for name, packages in PEERS.items():
            sides[name] = stack.enter_context(_side(name, stack.enter_context(_python(packages))))
        found = _measure(sides)
    units = {key: taken[0].reads + taken[0].writes for key, taken in found.items()}
    points = {
        side: [(size, units[side, size, "last"]) for size in SIZES if (side, size, "last") in units] for side in sides
    }
    title = "Read and write units to read the last 20 messages, by length of the thread"
    plot.write(ROOT / "docs" / "peers.svg", title, ("messages", "units"), points)
    rows = [
        [what, f"{size:,}", *(_cell(found.get((side, size, name), [])) for side in sides)]
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
        working = [side for side in working if not sides[side]("seed", size).error]
        for operation in OPERATIONS:
            recorded = {side: sides[side](operation, size, "recorded") for side in working}
            working = [side for side in working if not recorded[side].error]
            found |= {(side, size, operation): [recorded[side]] for side in working}
            for _, side in product(range(SAMPLES), working):
                found[side, size, operation].append(sides[side](operation, size))
    return found


def _cell(taken: list[Took]) -> str:
    if not taken:
        return "fails"
    first, *others = taken
    return f"{statistics.median(took.ms for took in others):.1f} ms, {first.calls}, {first.reads:g} + {first.writes:g}"


@contextmanager
def _side(name: str, python: str) -> Iterator[Side]:
    """Run a store's operations by an interpreter, for as long as the context."""
    # In the folder of its environment, because Chainlit writes its settings where it is started.
    process = subprocess.Popen(
        [python, "-m", "benchmarks.peer_worker", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=Path(python).parent,
    )

    def side(*words: object) -> Took:
        print(*words, file=process.stdin, flush=True)
        for line in process.stdout or ():
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
        options = ["--quiet", "--exclude-newer", plot.EXCLUDE_NEWER, "--python"]
        subprocess.run([uv.find_uv_bin(), "venv", *options, sys.executable, folder], check=True)
        subprocess.run([uv.find_uv_bin(), "pip", "install", *options, python, *packages], check=True)
        yield python


def _servers() -> list[list[str]]:
    """Return the rows of what the two servers of the Assistants API take."""
    with servers.model() as chat, _python(SERVER) as python:
        variables = os.environ | {"LLAMPHOUSE_TELEMETRY": "0", "MODEL_URL": chat.base_url}
        command = [python, str(Path(__file__).with_name("peer_server.py"))]
        peer = partial(servers.serving, command, Path(python).parent, variables, "/assistants")
        sides = {OURS: partial(servers.ours, chat), PEER: peer}
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
