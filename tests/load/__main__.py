"""`python -m tests.load`: the local API under the load of many conversations, then ten times as many; `make load`.

MINUTES (30) and USERS (20) say how long and how many. Ends with 1 when what it measured is not as it must be.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uv

from tests.load import report
from tests.load.report import Sample, Stages
from tests.support.local_api import ROOT, serving

LOCUST = "locust==2.47.0"
EXCLUDE_NEWER = "2026-11-20"
SECONDS_BETWEEN_SAMPLES = 5.0


def main() -> int:
    """Run, print what was measured, and return 1 when something is not as it must be."""
    stages = Stages(int(os.environ.get("USERS") or 20), int(float(os.environ.get("MINUTES") or 30) * 60))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(API_KEYS="load=sk-load", DATA=str(folder / "data")) as api:
            processes = {"local API": api.process.pid, "engine": int((folder / "data" / "engine.pid").read_text())}
            with _locust(api.base_url, folder / "log", stages) as locust:
                samples = _watch(locust, processes)
        measured = report.read(folder / "log", samples, stages)
    wrong = report.wrong(measured)
    sys.stdout.write("\n".join([report.text(measured), "", *(wrong or ["All is as it must be."]), ""]))
    return 1 if wrong else 0


@contextmanager
def _locust(base_url: str, log: Path, stages: Stages) -> Iterator[subprocess.Popen[bytes]]:
    """Run locust, in an environment of its own; it is ended with the context."""
    command = [uv.find_uv_bin(), "run", "--quiet", "--no-project", "--python", sys.executable]
    command += [
        "--exclude-newer",
        EXCLUDE_NEWER,
        "--with",
        LOCUST,
        "locust",
        "--headless",
        "--only-summary",
        "--loglevel",
        "ERROR",
    ]
    command += ["--locustfile", str(ROOT / "tests" / "load" / "people.py"), "--host", base_url, "--stop-timeout", "60"]
    steered = {f"LOAD_{name.upper()}": str(value) for name, value in stages._asdict().items()}
    environment = os.environ | steered | {"LOAD_LOG": str(log)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def _watch(locust: subprocess.Popen[bytes], processes: dict[str, int]) -> dict[str, list[Sample]]:
    """Look at the processes until locust has ended."""
    samples: dict[str, list[Sample]] = {name: [] for name in processes}
    while locust.poll() is None:
        for name, pid in processes.items():
            samples[name].append(_sample(pid))
        time.sleep(SECONDS_BETWEEN_SAMPLES)
    return samples


def _sample(pid: int) -> Sample:
    """Read what ps tells of a process; Linux and macOS both have it."""
    told = subprocess.run(["ps", "-o", "rss=,cputime=", "-p", str(pid)], capture_output=True, text=True, check=True)
    memory, used = told.stdout.split()
    seconds = sum(float(part) * 60**place for place, part in enumerate(reversed(used.replace("-", ":").split(":"))))
    return Sample(time.time(), int(memory) * 1024, seconds)


if __name__ == "__main__":
    sys.exit(main())
