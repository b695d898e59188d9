"""Measures sides in turns, sums the figures up as medians and ratios, and shows them as Markdown."""

import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple, TypeVar

ROOT = Path(__file__).parent.parent

# With fewer samples, a benchmark only shows that it works.
SAMPLES = int(os.environ.get("SAMPLES", "15"))

# The message of all benchmarks: 900 characters.
TEXT = ("A message of an ordinary length says something in two or three sentences. " * 12)[:900]

# The modules whose benchmarks need a table in DynamoDB Local.
_ON_ENGINE = ("growth", "throughput", "cost", "cost_of_runs")

K = TypeVar("K")
V = TypeVar("V")


class Row(NamedTuple):
    """A line of the summary: what was measured, the result, and its bound."""

    what: str
    figure: str
    bound: str = ""


class Report(NamedTuple):
    """The results of a benchmark: its lines of the summary in docs/performance.md, and its own tables in Markdown."""

    summary: Sequence[Row] = ()
    text: str = ""


class Ratio(NamedTuple):
    """A ratio of medians, and the lower and upper quartile of the single samples' ratios."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} - {self.high:.2f})"


def milliseconds(work: Callable[[], object]) -> float:
    """Do the work and return the time that it took."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def alternate(sides: Mapping[K, Callable[[], V]]) -> dict[K, list[V]]:
    """Call the sides in turns, `SAMPLES` times after one warm-up call each. Return the results of each side."""
    for side in sides.values():
        side()
    found: dict[K, list[V]] = {name: [] for name in sides}
    for _ in range(SAMPLES):
        for name, side in sides.items():
            found[name].append(side())
    return found


def ratio(ours: Sequence[float], other: Sequence[float]) -> Ratio:
    """Return the ratio of our figures to those of the other side. The sides were measured in turns."""
    low, _, high = statistics.quantiles([one / two for one, two in zip(ours, other, strict=True)], n=4)
    return Ratio(statistics.median(ours) / statistics.median(other), low, high)


def highest(ratios: Mapping[str, Ratio]) -> str:
    """Print the ratios. Return the highest one with its name, in the form of the summary."""
    for name, found in ratios.items():
        say(f"  {name}: {found}")
    name, found = max(ratios.items(), key=lambda pair: pair[1])
    return f"{found}, {name}"


def spread(values: Sequence[float], form: str = ".1f") -> str:
    """Return the median of some values with their quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:{form}} ({low:{form}} - {high:{form}})"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table. All columns except the first hold figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def report_of(benchmark: str) -> Report:
    """Run a benchmark: the function `run` of its module, or the function that has the benchmark's name."""
    module_name = {"dollars": "cost", "bill": "cost", "bill_of_runs": "cost_of_runs"}.get(benchmark, benchmark)
    module = importlib.import_module(f"benchmarks.{module_name}")
    with on_engine() if module_name in _ON_ENGINE else nullcontext():
        report: Report = getattr(module, "run" if module_name == benchmark else benchmark)()
    return report


@contextmanager
def on_engine() -> Iterator[None]:
    """Provide an empty table in DynamoDB Local."""
    # A peer's environment uses this module too, but lacks the packages that these imports need.
    from tools.local import template
    from tools.local.dynamodb import database, engine

    with engine.running() as url, database.at_url(template.load(), url):
        yield


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
