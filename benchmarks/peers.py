"""What people would pick instead, on the same DynamoDB Local with the same messages, taking turns with our handlers."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from typing import Any, NamedTuple

import uv

from benchmarks import figures, plot
from benchmarks.artifacts import ROOT
from benchmarks.figures import RUNS, TEXT, Report, Row
from tests.support import capacity
from tests.support.client import Client
from tests.support.filled import Long, fill
from tools.local import template
from tools.local.dynamodb import database, engine

SIZES = (10, 100, 1_000, 5_000)
# What a peer's packages depend on is taken as it was on that day.
EXCLUDE_NEWER = "2026-11-20"
PEERS = {
    "langchain": ("langchain-community==0.4.2", "boto3"),
    "chainlit": ("chainlit==2.12.0", "boto3"),
    "langgraph": ("langgraph-checkpoint-aws==1.2.6", "langgraph"),
}
OURS = "this API"
OPERATIONS = {"append": "append one", "last": "read the last 20", "open": "open one message"}


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
    """Measure all sides, at all sizes at which they work."""
    with ExitStack() as stack:
        url = stack.enter_context(engine.running())
        stack.enter_context(database.at_url(template.load(), url))
        sides = {OURS: _ours()} | {name: stack.enter_context(_peer(name, packages)) for name, packages in PEERS.items()}
        found, limits = _measure(sides)
    for name, what in OPERATIONS.items():
        lines = {side: points for side in sides if (points := _points(found, side, name))}
        title = f"Read and write units to {what}, by length of the thread"
        plot.write(ROOT / "docs" / f"peers_{name}.svg", title, ("messages", "units"), lines)
    head = ["operation", "messages", *sides]
    rows = [
        [what, f"{size:,}", *(_cell(found.get((side, size, name), [])) for side in sides)]
        for (name, what), size in product(OPERATIONS.items(), SIZES)
    ]
    rows.append(["longest thread that takes one more", "", *(limits[side] for side in sides)])
    return Report(f"{figures.table(head, rows)}\n\nMilliseconds, calls, read + write units.", _summary(found))


def _measure(sides: dict[str, Side]) -> tuple[Found, dict[str, str]]:
    found: Found = {}
    limits = dict.fromkeys(sides, f"over {SIZES[-1]:,}")
    for size in SIZES:
        figures.say(f"  {size:,} messages")
        working = [name for name in sides if limits[name].startswith("over")]
        for name in working:
            if sides[name]("seed", size).error or sides[name]("append", size).error:
                limits[name] = f"{_limit(sides[name], size):,}"
        working = [name for name in working if limits[name].startswith("over")]
        for operation, _, name in product(OPERATIONS, range(RUNS), working):
            found.setdefault((name, size, operation), []).append(sides[name](operation, size))
    return found, limits


def _limit(side: Side, failing: int) -> int:
    """Return the length of the longest thread that works, within one percent."""
    working = 0
    while failing - working > max(1, failing // 100):
        middle = (working + failing) // 2
        if side("seed", middle).error or side("append", middle).error:
            failing = middle
        else:
            working = middle
    return working


def _points(found: Found, side: str, operation: str) -> plot.Points:
    sizes = [size for size in SIZES if (side, size, operation) in found]
    return [(size, found[side, size, operation][0].reads + found[side, size, operation][0].writes) for size in sizes]


def _cell(taken: list[Took]) -> str:
    if not taken:
        return "fails"
    if taken[-1].error:
        return taken[-1].error.partition(":")[0]
    first = taken[0]
    return f"{statistics.median(took.ms for took in taken):.1f} ms, {first.calls}, {first.reads:g} + {first.writes:g}"


def _summary(found: Found) -> tuple[Row, ...]:
    rows = []
    for name, what in OPERATIONS.items():
        size = SIZES[-1]
        cells = [f"{side} {_cell(found.get((side, size, name), []))}" for side in (OURS, *PEERS)]
        bound = "behind chainlit, see there" if name == "append" else "ahead, or a draw"
        rows.append(Row(f"To {what} in a thread of {size:,}: ms, calls, units", "; ".join(cells), bound))
    return tuple(rows)


@contextmanager
def _peer(name: str, packages: tuple[str, ...]) -> Iterator[Side]:
    """Run a peer in an environment of its own for as long as the context."""
    command = [uv.find_uv_bin(), "run", "--quiet", "--no-project", "--python", sys.executable]
    command += ["--exclude-newer", EXCLUDE_NEWER, *(f"--with={package}" for package in packages)]
    command += ["python", "-m", "benchmarks.peer_worker", name]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    # In a folder of its own, because Chainlit writes its settings where it is started.
    folder = tempfile.TemporaryDirectory()
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=folder.name)

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
        folder.cleanup()


def _ours() -> Side:
    """Return our handlers, in this process."""
    client = Client()
    threads: dict[int, Long] = {}

    def operate(operation: str, size: int) -> Any:
        thread, ids, _ = threads[size]
        if operation == "append":
            return client.message(thread, TEXT)
        if operation == "last":
            return client.page(thread, limit=20)
        return client.create("retrieve_message", thread, ids[size // 2])

    def side(operation: str, size: int) -> Took:
        if operation == "seed":
            threads[size] = fill(client, size, TEXT, age_seconds=3_600)
            return Took(0, 0, 0, 0, "")
        started = time.perf_counter()
        operate(operation, size)
        milliseconds = (time.perf_counter() - started) * 1000
        with capacity.recorded() as calls:
            operate(operation, size)
        units = sum(call.read_units for call in calls), sum(call.write_units for call in calls)
        return Took(milliseconds, len(calls), *units, "")

    return side
