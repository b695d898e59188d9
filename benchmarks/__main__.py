"""Runs all benchmarks, or those that are named, and writes their figures into the documents."""

import datetime as dt
import importlib.metadata
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks import figures
from benchmarks.artifacts import ROOT
from benchmarks.figures import Row
from tools.local.dynamodb.download import ENGINE

DOCUMENT = ROOT / "docs" / "performance.md"
COST = ROOT / "docs" / "cost.md"
RUNS = ROOT / "docs" / "runs.md"
PLACES = {"bill": COST, "bill_of_runs": COST, "runs": RUNS}
BENCHMARKS = ("cold", "warm", "bundle", "cost", "dollars", *PLACES, "growth", "peers", "throughput")


def main(names: list[str]) -> None:
    """Run benchmarks; the summary is written when all were run."""
    started = time.monotonic()
    chosen = names or list(BENCHMARKS)
    summary: list[Row] = []
    for place, name in enumerate(chosen, start=1):
        figures.say(f"{time.monotonic() - started:4.0f} s  {place}/{len(chosen)} {name}")
        # In a process of its own: the store makes its client once, for the engine that it finds first.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            report = pool.submit(figures.report_of, name).result()
        summary += report.summary
        _write(PLACES.get(name, DOCUMENT), name, report.text)
    table = figures.table(["what", "measured", "held to"], summary)
    if not names:
        _write(DOCUMENT, "summary", f"{_machine()}\n\n{table}")
    figures.say(f"{time.monotonic() - started:4.0f} s  done")
    sys.stdout.write(f"{table}\n")


def _write(document: Path, name: str, text: str) -> None:
    """Put a text between the marks of its name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"{document} has no place for {name}")
    document.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")


def _machine() -> str:
    """Say when and where this was measured, and with what."""
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("botocore", "boto3", "pydantic")]
    parts = [
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        f"{os.cpu_count()} cores of {_processor()}",
        f"{platform.system()} on {platform.machine()}",
        f"CPython {platform.python_version()}",
        *packages,
        ENGINE,
    ]
    return ", ".join(parts) + f". Medians of {figures.RUNS} runs that took turns, in parentheses the quartiles."


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main(sys.argv[1:])
