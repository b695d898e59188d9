"""Cold start: the processor time of a fresh interpreter from its start to a ready handler, on built artifacts.

The floor imports boto3 and makes one DynamoDB client. Lambda's folders are read-only, so nothing is written here:
what has no bytecode is compiled anew each time. `Init Duration` is taken as Lambda takes it, from the start of the real
runtime client until it asks for the first event.
"""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import artifacts, figures, runtime_api
from benchmarks.artifacts import Artifacts
from benchmarks.figures import Report, Row

_FLOOR = "import boto3; boto3.client('dynamodb')"
_WITHOUT = "floor without bytecode"


class _Group(NamedTuple):
    """Functions with the same bounds: what they may take of the floor, and of the floor without bytecode."""

    name: str
    modules: str
    bound: float
    bound_without: float


_GROUPS = (
    _Group("retrieve, list, delete", "retrieve_* list_* delete_* unknown_route", 0.95, 0.45),
    _Group("create, modify, ingest", "create_* modify_* ingest_*", 1.25, 0.60),
    _Group("the other event functions", "*", 1.10, 0.60),
)


def run() -> Report:
    """Measure every function; needs the Python that Lambda runs."""
    if not artifacts.is_deployed_python():
        return Report("Not measured: there is no CPython 3.13 here.")
    with tempfile.TemporaryDirectory() as folder:
        built = artifacts.build(Path(folder))
        times = figures.alternate(_sides(built))
        inits = figures.alternate(runtime_api.sides(built))
    rows: list[list[object]] = []
    summary: list[Row] = []
    left = set(built.bundles)
    for group in _GROUPS:
        modules = sorted(module for module in left if any(map(Path(module).match, group.modules.split())))
        left -= set(modules)
        ratios = {module: figures.ratio(times[module], times["floor"]) for module in modules}
        without = {module: figures.ratio(times[module], times[_WITHOUT]) for module in modules}
        for module in modules:
            measured = [figures.spread(found[module], ".0f") for found in (times, inits)]
            rows.append([f"`{module}`", measured[0], ratios[module], without[module], measured[1]])
        what = f"Cold start of {group.name}, against boto3 with one client"
        summary += [
            Row(what, figures.highest(ratios.values()), f"{group.bound:.2f}"),
            Row(
                f"{what} in a default build, without bytecode",
                figures.highest(without.values()),
                f"{group.bound_without:.2f}",
            ),
        ]
    rows += [
        [name, figures.spread(times[name], ".0f"), "", "", figures.spread(inits[name], ".0f")]
        for name in ("floor", _WITHOUT)
    ]
    head = ["function", "processor time, ms", "of the floor", f"of the {_WITHOUT}", "Init Duration, ms"]
    return Report(figures.table(head, rows), tuple(summary))


def _sides(built: Artifacts) -> dict[str, partial[float]]:
    sides = {
        "floor": partial(_milliseconds, _FLOOR, built.floor),
        _WITHOUT: partial(_milliseconds, _FLOOR, built.floor_without_bytecode),
    }
    for module, bundle in built.bundles.items():
        sides[module] = partial(_milliseconds, f"import functions.{module}", bundle, built.layer)
    return sides


def _milliseconds(code: str, *folders: Path) -> float:
    """Return the processor time, user and system, of a fresh interpreter that runs the code."""
    paths = [str(folder) for folder in folders]
    command = [sys.executable, "-I", "-S", "-B", "-c", f"import sys; sys.path[:0] = {paths}; {code}"]
    process = os.posix_spawn(sys.executable, command, artifacts.environment())
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"not measured: {code}")
    return (usage.ru_utime + usage.ru_stime) * 1000
