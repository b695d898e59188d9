"""The local API as a process of its own, for tests that use it as a person would."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
_OURS = ("API_KEYS", "AWS_", "DATA", "DYNAMODB_URL", "PORT", "TABLE_NAME")


@dataclass(frozen=True)
class LocalApi:
    """A local API that serves. `printed` is all it wrote to stdout, `errors` its stderr so far."""

    base_url: str
    api_key: str
    printed: str
    process: subprocess.Popen[str]
    _errors: IO[str]

    @property
    def errors(self) -> str:
        return Path(self._errors.name).read_text(encoding="utf-8")


def environment(**own: str) -> dict[str, str]:
    """Return this process's environment without what steers the local API, and with `own`; any free port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"PORT": "0", "PYTHONPATH": str(ROOT)} | own


def start(folder: Path = ROOT, errors: int | IO[str] = subprocess.PIPE, /, **own: str) -> subprocess.Popen[str]:
    """Start `python -m local.api` in a folder, with these environment variables."""
    return subprocess.Popen(
        [sys.executable, "-m", "local.api"],
        cwd=folder,
        env=environment(**own),
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


@contextmanager
def serving(folder: Path = ROOT, /, **own: str) -> Iterator[LocalApi]:
    """Run a local API, wait until it serves, and end it afterwards.

    Raises AssertionError, with what it said, when it does not serve.
    """
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as errors:
        process = start(folder, errors, **own)
        try:
            yield _wait(process, errors)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _wait(process: subprocess.Popen[str], errors: IO[str]) -> LocalApi:
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if line.startswith("    print("):  # the end of the snippet
            break
    printed = "".join(lines)
    if not lines or process.poll() is not None:
        raise AssertionError(f"the local API does not serve: {Path(errors.name).read_text(encoding='utf-8')}")
    base_url = printed.split("Message API at ")[1].split()[0]
    api_key = printed.split("API key of project ")[1].split()[1]
    return LocalApi(base_url, api_key, printed, process, errors)
