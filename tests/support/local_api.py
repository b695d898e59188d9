"""The local API in a separate process, for tests that use it as a person would."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from tests.support import canaries

ROOT = Path(__file__).parents[2]
_OURS = (
    *("ALLOWED_ORIGINS", "API_KEYS", "AWS_", "DATA", "DYNAMODB_URL", "EXAMPLE", "PORT", "POWERTOOLS_", "TABLE_NAME"),
    *("DEFAULT_INSTRUCTIONS", "MAX_TOKENS_PARAMETER", "MODEL_", "RUNS", "UNKNOWN_ASSISTANTS"),
)


@dataclass(frozen=True)
class LocalApi:
    """A running local API. `printed` is its stdout, `errors` its stderr so far."""

    base_url: str
    api_key: str
    printed: str
    process: subprocess.Popen[str]
    _errors: IO[str]

    @property
    def errors(self) -> str:
        return Path(self._errors.name).read_text(encoding="utf-8")


def environment(**own: str) -> dict[str, str]:
    """Return this process's environment without the local API's variables, and with `own`. The port is any free one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return kept | {"PORT": "0", "PYTHONPATH": path} | own


def start(folder: Path = ROOT, errors: int | IO[str] = subprocess.PIPE, /, **own: str) -> subprocess.Popen[str]:
    """Start `message-api serve` in a folder, with these environment variables."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.cli", "serve"],
        cwd=folder,
        env=environment(**own),
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


@contextmanager
def serving(folder: Path = ROOT, /, **own: str) -> Iterator[LocalApi]:
    """Run a local API, wait until it serves, and end it afterwards.

    Raises AssertionError with its output if it does not serve.
    """
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as errors, _noted():
        process = start(folder, errors, **own)
        try:
            served = _wait(process, errors)
            yield served
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=30)
        # This is the output after the printed instructions, which have a key and a text with Hello.
        canaries.check_terminal(said + served.errors)


@contextmanager
def _noted() -> Iterator[None]:
    """Record the private texts in the requests that this process sends."""
    send = httpx.Client.send

    def noting(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        canaries.note_key(request.headers.get("authorization", "").removeprefix("Bearer "))
        canaries.note_sent(getattr(request, "_content", b"").decode("utf-8", "replace"))
        return send(client, request, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.Client, "send", noting)
        yield


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
