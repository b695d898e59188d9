"""`python -m tests.load`: loads the local API with many conversations, then with ten times as many. See `make load`.

MINUTES (30) is the duration, USERS (20) the number of users. The exit code is 1 if a figure exceeds its bound.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import table
from benchmarks.plot import run_with
from tests.support.local_api import ROOT, serving

LOCUST = "locust==2.47.0"
# Times vary on a machine with other work. A growing list, or a leak, changes the figures by more than these factors.
MOST_SLOWER = 1.5
MOST_GROWN = 1.1


class Line(NamedTuple):
    """A line that people.py writes: seconds of the load, what, a status, and milliseconds or another figure."""

    at: float
    name: str
    status: int
    figure: float


def main() -> int:
    """Run the load and print the figures. Return 1 if a figure exceeds its bound."""
    users, steady = int(os.environ.get("USERS") or 20), int(float(os.environ.get("MINUTES") or 30) * 60)
    edges = [0, steady // 3, steady * 2 // 3, steady, steady + 60, steady + 120, steady + 180]
    names = ["first third", "second third", "last third", "burst", "the minute after", "the next minute"]
    lines = _load(f"{users} {steady} 60 120")
    spans = {
        name: [line for line in lines if low <= line.at < high]
        for name, (low, high) in zip(names, pairwise(edges), strict=True)
    }
    wrong = _wrong(spans)
    sys.stdout.write(f"{_report(spans)}\n\n" + "\n".join(wrong or ["All is as it must be."]) + "\n")
    return 1 if wrong else 0


def _load(stages: str) -> list[Line]:
    """Run locust in its own environment against a local API. Return the lines that its users wrote."""
    command = [*run_with(LOCUST), "locust", "--headless", "--only-summary", "--loglevel", "ERROR"]
    command += ["--stop-timeout", "60", "--locustfile", str(ROOT / "tests/load/people.py")]
    with tempfile.TemporaryDirectory() as name:
        data, log = Path(name, "data"), Path(name, "log")
        with serving(API_KEYS="load=sk-load", DATA=str(data), MODEL_URL="demo") as api:
            processes = f"local-API {api.process.pid},engine {(data / 'engine.pid').read_text().strip()}"
            own = {"LOAD_STAGES": stages, "LOAD_LOG": str(log), "LOAD_PROCESSES": processes}
            command += ["--host", api.base_url]
            subprocess.run(command, env=os.environ | own, stdout=subprocess.DEVNULL, check=False)
        noted = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()]
    began = float(noted[0][0])
    return [Line(float(at) - began, what, int(status), float(figure)) for at, what, status, figure in noted]


def _figures(span: list[Line], prefix: str) -> list[float]:
    return [line.figure for line in span if line.name.startswith(prefix)]


def _median(span: list[Line], prefix: str = "request") -> float:
    return statistics.median(_figures(span, prefix) or [0.0])


def _processes(spans: dict[str, list[Line]]) -> list[str]:
    names = {line.name for span in spans.values() for line in span}
    return sorted(name.removeprefix("memory ") for name in names if name.startswith("memory "))


def _report(spans: dict[str, list[Line]]) -> str:
    """Return the figures as Markdown."""
    processes = _processes(spans)
    head = ["when", "requests", "a second", "median, ms", "95 %, ms", "99 %, ms", "longest, ms", "statuses"]
    rows = []
    for name, span in spans.items():
        took = sorted(_figures(span, "request")) or [0.0]
        seconds = span[-1].at - span[0].at if len(span) > 1 else 1.0
        times = [f"{took[int(len(took) * part)]:.0f}" for part in (0.5, 0.95, 0.99)]
        statuses = Counter(line.status for line in span if line.name.startswith("request"))
        memory = [f"{_median(span, f'memory {process}'):.0f}" for process in processes]
        rows.append(
            [
                name,
                f"{len(took):,}",
                f"{len(took) / seconds:.1f}",
                *times,
                f"{took[-1]:.0f}",
                ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items())),
                *memory,
            ]
        )
    steady = [line for name in list(spans)[:3] for line in spans[name]]
    kinds = Counter(line.name.removeprefix("request ") for line in steady if line.name.startswith("request"))
    shares = []
    for process in processes:
        used = _figures(steady, f"processor {process}")
        shares.append(f"{process} {(used[-1] - used[0]) / (steady[-1].at - steady[0].at):.2f}")
    return "\n\n".join(
        [
            table([*head, *(f"{process}, MB" for process in processes)], rows),
            f"Of one core in the steady part: {', '.join(shares)}.",
            table(["request", "in the steady part"], kinds.most_common()),
        ]
    )


def _wrong(spans: dict[str, list[Line]]) -> list[str]:
    """Return a line for each figure that exceeds its bound."""
    found = [line.name for span in spans.values() for line in span if line.name.startswith("error ")][:10]
    for name, span in spans.items():
        allowed = {200, 429, 503} if name in {"burst", "the minute after"} else {200}
        others = {line.status for line in span if line.name.startswith("request")} - allowed
        found += [f"{name}: status {status}" for status in sorted(others)]
    first, last, calm = (_median(spans[name]) for name in ("first third", "last third", "the next minute"))
    if last > MOST_SLOWER * first:
        found.append(f"the median rose from {first:.1f} to {last:.1f} ms")
    if calm > MOST_SLOWER * last:
        found.append(f"the median was {last:.1f} ms before the burst and {calm:.1f} ms a minute after it")
    for process in _processes(spans):
        before, now = (_median(spans[name], f"memory {process}") for name in ("second third", "last third"))
        if now > MOST_GROWN * before:
            found.append(f"the memory of the {process} rose from {before:.0f} to {now:.0f} MB")
    return found


if __name__ == "__main__":
    sys.exit(main())
