"""Runs all benchmarks, or the named ones, and writes their figures into the documents."""

import datetime as dt
import importlib.metadata
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import ROOT, Row
from tools.local.dynamodb.download import ENGINE

DOCUMENT = ROOT / "docs" / "performance.md"
COST = ROOT / "docs" / "cost.md"
RUNS = ROOT / "docs" / "runs.md"
# The document into which the tables of a benchmark are written. The other benchmarks have no tables.
PLACES = {"cost": COST, "dollars": COST, "bill": COST, "cost_of_runs": RUNS, "bill_of_runs": COST, "peers": DOCUMENT}
BENCHMARKS = ("cold", "warm", "growth", "throughput", "runs", *PLACES)


def main(names: list[str]) -> None:
    """Run each benchmark in its own process, because the store makes one client, for the first engine it finds."""
    started = time.monotonic()
    chosen = names or list(BENCHMARKS)
    for place, name in enumerate(chosen, start=1):
        figures.say(f"{time.monotonic() - started:4.0f} s  {place}/{len(chosen)} {name}")
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            report = pool.submit(figures.report_of, name).result()
        if name in PLACES:
            _write(PLACES[name], name, report.text)
        if report.summary:
            head = ["what", "measured", "held to", "date", "command"]
            _write(DOCUMENT, "summary", figures.table(head, _rows(name, report.summary)))
    if not names:
        _write(DOCUMENT, "machine", _machine())
    figures.say(f"{time.monotonic() - started:4.0f} s  done")


def _rows(name: str, rows: Sequence[Row]) -> list[list[str]]:
    """Return the rows of the summary. The new rows of one benchmark replace its old rows, and have today's date."""
    text = DOCUMENT.read_text(encoding="utf-8").split("<!-- summary -->")[1].split("<!-- end of summary -->")[0]
    found = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.strip().splitlines()[2:]]
    today = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    command = f"`make bench ONLY={name}`"
    kept = [row for row in found if row[-1] != command] + [[*row, today, command] for row in rows]
    return sorted(kept, key=lambda row: BENCHMARKS.index(row[-1].strip("`").partition("=")[2]))


def _write(document: Path, name: str, text: str) -> None:
    """Write a text into a document, between the marks with this name."""
    between = re.compile(rf"(?<=<!-- {name} -->\n).*(?=<!-- end of {name} -->\n)", re.DOTALL)
    written, places = between.subn(lambda _: f"\n{text}\n\n", document.read_text(encoding="utf-8"))
    if places != 1:
        raise ValueError(f"{document} has no place for {name}")
    document.write_text(written, encoding="utf-8")


def _machine() -> str:
    """Describe the machine that ran the benchmarks."""
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("botocore", "boto3", "pydantic", "openai")]
    information = Path("/proc/cpuinfo").read_text(encoding="utf-8") if sys.platform == "linux" else ""
    processors = [line.partition(": ")[2] for line in information.splitlines() if line.startswith("model name")]
    where = f"{os.cpu_count()} cores of {(processors or [platform.processor()])[0]}, {platform.system()}"
    return ", ".join([where, f"CPython {platform.python_version()}", *packages, ENGINE]) + "."


if __name__ == "__main__":
    main(sys.argv[1:])
