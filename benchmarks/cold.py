"""Cold start: the processor time of a fresh interpreter from its start to a ready handler, on built artifacts.

The floor imports boto3 and makes one DynamoDB client. Lambda's folders are read-only, so the interpreter writes no
bytecode here: it compiles each module without bytecode at every start. The sizes are those of the zip files that
`sam deploy` uploads.
"""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import uv

from benchmarks import figures
from benchmarks.figures import ROOT, Report, Row
from tests.support.memory import MODEL
from tools.local import template

_FLOOR = "import boto3; boto3.client('dynamodb')"
# The modules of each group, and the bound for their ratio to the floor.
_GROUPS = {
    "retrieve, list, delete": ("retrieve_* list_* delete_* unknown_route", "0.80"),
    "create, modify, ingest": ("create_* modify_* ingest_*", "1.10"),
    "assistants, runs and their worker": ("assistants runs execute_run", ""),
    "the other event functions": ("*", "1.10"),
}
_TEMPLATE = template.load(parameters=MODEL)
# Credentials of no account.
_KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
_ENVIRONMENT = _TEMPLATE.environment | _KEYS | {"AWS_DEFAULT_REGION": template.REGION, "AWS_REGION": template.REGION}


def run() -> Report:
    """Measure every function. This needs the Python version that Lambda runs, for which the bytecode is made."""
    if not platform.python_version().startswith("3.13."):
        figures.say("Not measured: there is no CPython 3.13 here.")
        return Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor, *layers = _floor(folder), *(_made(folder, layer) for layer in ("Dependencies", "ModelDependencies"))
        bundles = {function.handler.split(".")[1]: _made(folder, function.name) for function in _TEMPLATE.functions}
        sides = {"floor": partial(_milliseconds, _FLOOR, floor)}
        for module, bundle in bundles.items():
            packages = [layer / "python" for layer in (layers if module == "execute_run" else layers[:1])]
            sides[module] = partial(_milliseconds, f"import functions.{module}", bundle, *packages)
        times = figures.alternate(sides)
        code = max(map(_zipped, bundles.values())) / 1e3
        packages_zipped = " + ".join(f"{_zipped(layer) / 1e6:.1f}" for layer in layers)
    summary: list[Row] = []
    left = set(bundles)
    for group, (patterns, bound) in _GROUPS.items():
        modules = sorted(module for module in left if any(map(Path(module).match, patterns.split())))
        left -= set(modules)
        ratios = {module: figures.ratio(times[module], times["floor"]) for module in modules}
        summary.append(Row(f"Cold start of {group}, against boto3 with one client", figures.highest(ratios), bound))
    summary.append(Row("The largest function's code, zipped", f"{code:.0f} KB", "300 KB"))
    summary.append(Row("The layer, and what the worker of runs adds, zipped", f"{packages_zipped} MB", "12 MB each"))
    return Report(summary)


def _made(folder: Path, name: str) -> Path:
    """Build a function or a layer with the target that `sam build` calls, for this machine."""
    made = folder / name
    made.mkdir()
    variables = [f"ARTIFACTS_DIR={made}", f"LAYER_FOR=--python {sys.executable}"]
    subprocess.run(["make", "-s", f"build-{name}", *variables], cwd=ROOT, check=True)
    return made


def _floor(folder: Path) -> Path:
    floor = folder / "floor"
    packages = [f"{name}=={importlib.metadata.version(name)}" for name in ("boto3", "botocore")]
    options = ["--quiet", "--compile-bytecode", "--python", sys.executable, "--target", str(floor)]
    own = os.environ | {"PYC_INVALIDATION_MODE": "UNCHECKED_HASH"}
    subprocess.run([uv.find_uv_bin(), "pip", "install", *options, *packages], env=own, check=True)
    return floor


def _zipped(folder: Path) -> int:
    with tempfile.TemporaryDirectory() as name:
        return Path(shutil.make_archive(f"{name}/zipped", "zip", folder)).stat().st_size


def _milliseconds(code: str, *folders: Path) -> float:
    """Return the processor time, user and system, of a fresh interpreter that runs the code."""
    paths = [str(folder) for folder in folders]
    command = [sys.executable, "-I", "-S", "-B", "-c", f"import sys; sys.path[:0] = {paths}; {code}"]
    process = os.posix_spawn(sys.executable, command, _ENVIRONMENT)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"not measured: {code}")
    return (usage.ru_utime + usage.ru_stime) * 1000
