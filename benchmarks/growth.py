"""Growth: time and units of every operation in threads of 10 to 100,000 messages, on DynamoDB Local."""

import math
import statistics
import time
from collections.abc import Callable, Collection
from itertools import product
from typing import Any

from benchmarks import figures, plot
from benchmarks.artifacts import ROOT
from benchmarks.figures import RUNS, TEXT, Report, Row
from tests.support import capacity
from tests.support.client import Client
from tests.support.filled import RUN, fill
from tools.local import template
from tools.local.dynamodb import database, engine

SIZES = (10, 100, 1_000, 10_000, 100_000)

# The smallest thread has this many messages on either side of its middle.
_LIMIT = 4
_CREATING = ("create message", "delete message")

Measured = dict[str, dict[int, list[float]]]
Operations = dict[int, dict[str, Callable[[], Any]]]


def run() -> Report:
    """Measure all operations, the sizes taking turns."""
    with engine.running() as url, database.at_url(template.load(), url):
        times, units = _measure()
    lines = {name: [(size, statistics.median(found)) for size, found in sizes.items()] for name, sizes in times.items()}
    plot.write(
        ROOT / "docs" / "growth.svg", "Milliseconds of an operation, by length of its thread", ("messages", "ms"), lines
    )
    slopes = {name: _slope(points) for name, points in lines.items()}
    ends = {name: figures.ratio(sizes[SIZES[-1]], sizes[SIZES[0]]) for name, sizes in times.items()}
    rows = [
        [name, *(f"{found:.1f}" for _, found in lines[name]), ends[name], f"{slopes[name]:+.1%}", units[name]]
        for name in times
    ]
    sizes = [f"{size:,}" for size in SIZES]
    head = ["operation, ms", *sizes, f"{sizes[-1]} to {sizes[0]}", "for each tenfold", "read, write units"]
    summary = Row(
        f"Time of an operation, {sizes[-1]} messages to {sizes[0]}", figures.highest(ends.values()), "about 1"
    )
    grown = [name for name, found in units.items() if ";" in found]
    same = Row("Units of an operation, 10 to 100,000 messages", ", ".join(grown) or "the same", "the same")
    return Report(figures.table(head, rows), (summary, same))


def _measure() -> tuple[Measured, dict[str, str]]:
    """Return the milliseconds of each operation by size, and its read and write units at the sizes, once if equal."""
    operations: Operations = {}
    for size in SIZES:
        figures.say(f"  {size:,} messages are written")
        client = Client(trusted=True)
        thread, ids, _ = fill(client, size, TEXT, age_seconds=3_600)
        operations[size] = _operations(client, thread, ids)
    times: Measured = {name: {size: [] for size in SIZES} for name in operations[SIZES[0]]}
    units: dict[str, list[str]] = {name: [] for name in times}
    # A page also looks at what was created in the last seconds; so reads come first, as in a thread at rest.
    for names in ([name for name in times if name not in _CREATING], _CREATING):
        _take_turns(names, operations, times, units)
    return times, {name: "; ".join(dict.fromkeys(found)) for name, found in units.items()}


def _take_turns(names: Collection[str], operations: Operations, times: Measured, units: dict[str, list[str]]) -> None:
    for size, name in product(SIZES, names):
        with capacity.recorded() as made:
            operations[size][name]()
        units[name].append(f"{sum(call.read_units for call in made):g}, {sum(call.write_units for call in made):g}")
    for _, name, size in product(range(RUNS), names, SIZES):
        started = time.perf_counter()
        operations[size][name]()
        times[name][size].append((time.perf_counter() - started) * 1000)


def _operations(client: Client, thread: str, ids: list[str]) -> dict[str, Callable[[], Any]]:
    """Return the operations on a thread; the middle is where `before` and `after` are hardest."""
    middle = ids[len(ids) // 2]
    metadata = {"metadata": {"user_id": "u"}}

    def get(function: str, *path: str, **options: Any) -> Callable[[], Any]:
        return lambda: client.create(function, *path, **options)

    return {
        "retrieve message": get("retrieve_message", thread, middle),
        f"list newest {_LIMIT}": get("list_messages", thread, query={"limit": _LIMIT}),
        f"list {_LIMIT} before the middle": get("list_messages", thread, query={"limit": _LIMIT, "before": middle}),
        f"list {_LIMIT} after the middle": get("list_messages", thread, query={"limit": _LIMIT, "after": middle}),
        "list a run's": get("list_messages", thread, query={"limit": _LIMIT, "run_id": RUN}),
        "modify message": get("modify_message", thread, middle, body=metadata),
        "create message": lambda: client.message(thread, TEXT),
        "delete message": lambda: client.create("delete_message", thread, client.message(thread, TEXT)["id"]),
        "retrieve thread": get("retrieve_thread", thread),
        "modify thread": get("modify_thread", thread, body=metadata),
    }


def _slope(points: plot.Points) -> float:
    """Return by how much of its mean a time grows for each tenfold of the size: a straight line through the points."""
    slope, _ = statistics.linear_regression([math.log10(size) for size, _ in points], [found for _, found in points])
    return slope / statistics.fmean([found for _, found in points])
