"""Runs servers of the Assistants API, each in its own process, and a model that takes a fixed time to answer."""

import functools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from benchmarks.figures import ROOT
from tests.support import chat_stub, local_api
from tests.support.chat_stub import Chat

MODEL_SECONDS = 0.5
_SECONDS_TO_START = 120
_POLL_SECONDS = 0.01
_KEY = "sk-benchmark"


@dataclass(frozen=True)
class Server:
    """A running server: its client, its process, and the seconds that its start took."""

    http: httpx.Client
    process: int
    seconds_to_start: float

    def create(self, path: str, **body: Any) -> dict[str, Any]:
        """Send a POST that must succeed."""
        found: dict[str, Any] = self.http.post(path, json=body).raise_for_status().json()
        return found

    def finished(self, thread: str, run_id: str) -> None:
        """Wait until a run is completed; `thread` is its path."""
        while (run := self.http.get(f"{thread}/runs/{run_id}").raise_for_status().json())["status"] != "completed":
            if run["status"] not in ("queued", "in_progress"):
                raise RuntimeError(f"the run is {run['status']}")
            time.sleep(_POLL_SECONDS)

    def run(self, thread: str, assistant_id: str) -> None:
        """Create a run and wait until it is completed."""
        self.finished(thread, self.create(f"{thread}/runs", assistant_id=assistant_id)["id"])

    @property
    def megabytes(self) -> float:
        """The megabytes that the process and its children hold now."""
        command = ["ps", "-o", "rss=", "--pid", str(self.process), "--ppid", str(self.process)]
        return sum(map(int, subprocess.check_output(command, text=True).split())) / 1000


def model() -> AbstractContextManager[Chat]:
    """Run the model's endpoint in this process."""
    answer = replace(chat_stub.says("An ", "answer."), before=functools.partial(time.sleep, MODEL_SECONDS))
    return chat_stub.chatting(answer)


def ours(chat: Chat, **variables: str) -> AbstractContextManager[Server]:
    """Run the local API, with its data in memory unless DATA names a folder."""
    own = local_api.environment(MODEL_URL=chat.base_url, API_KEYS=f"bench={_KEY}", **variables)
    return serving([sys.executable, "-m", "tools.cli", "serve"], ROOT, own, "/openapi.json")


@contextmanager
def serving(command: Sequence[str], folder: Path, environment: dict[str, str], path: str) -> Iterator[Server]:
    """Run a server until the context ends. The variable PORT names a free port to it.

    The server has started when it responds to GET `path` with a success.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    log = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, env=environment | {"PORT": str(port)}, stdout=log, stderr=log)
    try:
        headers = {"authorization": f"Bearer {_KEY}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=120) as http:
            serves = False
            while not serves:
                if process.poll() is not None or time.perf_counter() - started > _SECONDS_TO_START:
                    raise RuntimeError(f"{command} does not serve")
                time.sleep(_POLL_SECONDS)
                with suppress(httpx.TransportError):
                    serves = http.get(path).is_success
            yield Server(http, process.pid, time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait()
