"""Runs the benchmarks and writes what they found into docs/performance.md: all of them, or those that are named."""

import datetime
import importlib
import platform
import sys
import time
from pathlib import Path

from benchmarks import figures
from benchmarks.artifacts import ROOT
from benchmarks.figures import Row

DOCUMENT = ROOT / "docs" / "performance.md"
BENCHMARKS = ("cold", "warm", "bundle", "memory", "cost", "growth", "peers", "throughput")


def main(names: list[str]) -> None:
    """Run benchmarks; the summary is only written when all were run."""
    started = time.monotonic()
    summary: list[Row] = []
    for place, name in enumerate(names or BENCHMARKS, start=1):
        figures.say(f"{place}/{len(names or BENCHMARKS)} {name}, after {time.monotonic() - started:.0f} s")
        report = importlib.import_module(f"benchmarks.{name}").run()
        summary += report.summary
        _write(name, report.text)
    table = figures.table(["what", "measured", "held to"], summary)
    if not names:
        _write("summary", f"{_machine()}\n\n{table}")
    sys.stdout.write(f"{table}\n")
    figures.say(f"done in {time.monotonic() - started:.0f} s")


def _write(name: str, text: str) -> None:
    """Put a text between the marks of its name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, found, rest = DOCUMENT.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"{DOCUMENT} has no place for {name}")
    DOCUMENT.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")


def _machine() -> str:
    """Say where and when this was measured, and with what."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("botocore", "boto3", "pydantic"))
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {_processor()}, {os_cpus()} cores, "
        f"{platform.system()} {platform.machine()}, CPython {platform.python_version()}, {versions}, DynamoDB Local 1.25.1."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
