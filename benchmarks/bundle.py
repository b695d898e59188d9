"""What is deployed, in bytes: the bundles and the layer as they are uploaded, and the memory that a page takes."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import artifacts, figures
from benchmarks.artifacts import Artifacts
from benchmarks.figures import Report, Row
from tests.support.client import Client
from tools.local import template
from tools.local.dynamodb import database, engine

# A function's peak (VmHWM) after its import, and after its event.
_PEAK = """
import json, sys
def peak():
    return next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
import functions.list_messages
before = peak()
answer = functions.list_messages.handler(json.load(sys.stdin), None)
print(before, peak(), answer["statusCode"], len(answer["body"]))
"""
_CONTENTS = {
    "100 messages of 900 characters": "x" * 900,
    "as many of 256,000 characters as one answer holds": "x" * 256_000,
}


def run() -> Report:
    """Build, zip, and read pages from DynamoDB Local."""
    if not artifacts.is_deployed_python():
        return Report("Not measured: there is no CPython 3.13 here.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = artifacts.build(folder)
        bundles = {module: _zipped(bundle) / 1000 for module, bundle in built.bundles.items()}
        layer = _zipped(built.layer.parent) / 1e6
        pages = _pages(built)
    rows: list[list[object]] = [
        [
            f"largest bundle (`{max(bundles, key=lambda module: bundles[module])}`), zipped",
            f"{max(bundles.values()):.0f} KB",
        ],
        ["layer, zipped", f"{layer:.1f} MB"],
        *(list[object]([f"memory, {what}", figure]) for what, figure in pages.items()),
    ]
    summary = (
        Row("A function's code, zipped", f"{max(bundles.values()):.0f} KB", "150 KB"),
        Row("The layer, zipped", f"{layer:.1f} MB", "12 MB"),
        Row("Memory at peak, page of 100 messages", pages["page of 100 messages of 900 characters"], ""),
    )
    return Report(figures.table(["what", "size"], rows), summary)


def _zipped(folder: Path) -> int:
    """Return the bytes of a folder's zip file, which is what `sam deploy` uploads."""
    with tempfile.TemporaryDirectory() as name:
        return Path(shutil.make_archive(f"{name}/zipped", "zip", folder)).stat().st_size


def _pages(built: Artifacts) -> dict[str, str]:
    """Return the peak of a process that has loaded the function and answered one page, in megabytes."""
    found = {}
    with engine.running() as url, database.at_url(template.load(), url):
        client = Client()
        for what, content in _CONTENTS.items():
            thread = client.thread()
            for _ in range(100 if len(content) < 1_000 else 24):
                client.message(thread, content)
            event = client.event("list_messages", thread, query={"limit": 100})
            before, peak = _peak(built, event)
            found["the function, loaded"] = f"{before:.0f} MB"
            found[f"page of {what}"] = f"{peak:.0f} MB"
    return found


def _peak(built: Artifacts, event: object) -> tuple[float, float]:
    paths = [str(built.bundles["list_messages"]), str(built.layer)]
    command = [sys.executable, "-I", "-S", "-B", "-c", f"import sys; sys.path[:0] = {paths}\n{_PEAK}"]
    done = subprocess.run(
        command, input=json.dumps(event), env=os.environ, stdout=subprocess.PIPE, text=True, check=True
    )
    before, after, status, _ = map(int, done.stdout.splitlines()[-1].split())
    if status != 200:
        raise RuntimeError(f"the page was answered with {status}")
    return before / 1000, after / 1000
