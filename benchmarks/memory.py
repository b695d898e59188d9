"""Memory size: what a function's share of the processor makes of its start and its answers, and what that costs.

Lambda gives a function MemorySize / 1,769 of one core. Here a control group's quota does the same (Linux, as root);
where that is not allowed, times are the processor time divided by the share, and the table says so.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import artifacts, figures
from benchmarks.artifacts import Artifacts
from benchmarks.figures import TEXT, Report, Row
from tests.support.client import Client
from tools.local import template
from tools.local.dynamodb import database, engine

SIZES = (128, 256, 512, 768, 1_024, 1_769)
RUNS = 5
FULL_CORE = 1_769
PERIOD_MICROSECONDS = 20_000
# Lambda on arm64, us-east-1, 2026-11.
DOLLARS_PER_GB_SECOND = 0.0000133334
_GROUPS = Path("/sys/fs/cgroup")

# Wall and processor milliseconds: of the start, of the first answer, of a later one (median of 40).
_CODE = """
import json, sys, time
def clocks(): return [time.perf_counter() * 1000, time.process_time() * 1000]
from importlib import import_module
begun = float(sys.argv[1]); event = json.load(sys.stdin)
handler = import_module("functions.create_message").handler
ready = clocks(); assert handler(event, None)["statusCode"] == 200
first = clocks(); later = []
for _ in range(40):
    before = clocks(); assert handler(event, None)["statusCode"] == 200; after = clocks()
    later.append([after[0] - before[0], after[1] - before[1]])
print(json.dumps([
    [ready[0] - begun, ready[1]], [first[0] - ready[0], first[1] - ready[1]], [sorted(p)[20] for p in zip(*later)]
]))
"""


def run() -> Report:
    """Measure create_message at each size; needs the Python that Lambda runs."""
    if not artifacts.is_deployed_python():
        return Report("Not measured: there is no CPython 3.13 here.")
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder, engine.running() as url, database.at_url(template.load(), url):
        built = artifacts.build(Path(folder))
        client = Client()
        event = client.event("create_message", client.thread(), body={"role": "user", "content": TEXT})
        for size in SIZES:
            figures.say(f"  {size} MB")
            start, first, later = _at(size, built, event)
            dollars = later / 1000 * size / 1024 * DOLLARS_PER_GB_SECOND * 1e6
            rows.append([f"{size:,} MB", f"{start:.0f}", f"{first:.0f}", f"{later:.1f}", f"{dollars:.2f}"])
    chosen = template.load().functions[0].memory
    found = next(row for row in rows if row[0] == f"{chosen:,} MB")
    head = ["MemorySize", "start, ms", "first answer, ms", "later answer, ms", "dollars for a million later answers"]
    how = "Measured under a quota." if _is_allowed() else "Arithmetic: processor time divided by the share of a core."
    row = Row(
        f"create_message with {chosen} MB: start, first answer, later ones",
        f"{found[1]}, {found[2]}, {found[3]} ms",
        "",
    )
    return Report(f"{figures.table(head, rows)}\n\n{how}", (row,))


def _at(size: int, built: Artifacts, event: object) -> list[float]:
    """Return the medians of start, first and later answers, in milliseconds."""
    share = min(size / FULL_CORE, 1.0)
    paths = [str(built.bundles["create_message"]), str(built.layer)]
    python = [sys.executable, "-I", "-S", "-B", "-c", f"import sys; sys.path[:0] = {paths}\n{_CODE}"]
    runs: list[list[list[float]]] = []
    with _quota(share) as group:
        # The shell joins the group, then becomes the interpreter; `begun` is on the clock that both share.
        join = f'echo $$ > "{group}/cgroup.procs" && ' if group else ""
        for _ in range(RUNS):
            command = ["sh", "-c", f'{join}exec "$@"', "sh", *python, str(time.perf_counter() * 1000)]
            done = subprocess.run(command, input=json.dumps(event), stdout=subprocess.PIPE, text=True, check=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    return [
        median(wall if group else processor / share for wall, processor in phase) for phase in zip(*runs, strict=True)
    ]


@contextlib.contextmanager
def _quota(share: float) -> Iterator[Path | None]:
    """Make a control group that has a share of one core, for as long as the context; None where that is not allowed."""
    old, name = (_GROUPS / "cpu").is_dir(), f"message-api-{uuid.uuid4().hex[:8]}"
    group = _GROUPS / "cpu" / name if old else _GROUPS / name
    quota = round(share * PERIOD_MICROSECONDS)
    try:
        group.mkdir()
        if old:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
        made = True
    except OSError:
        made = False
    try:
        yield group if made else None
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


def _is_allowed() -> bool:
    with _quota(1.0) as group:
        return group is not None
