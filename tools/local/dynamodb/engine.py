"""DynamoDB Local, AWS's own engine, as a child process: in memory for tests, or with its data in a folder."""

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.local.dynamodb import data_folder
from tools.local.dynamodb.download import EngineError, fetch

__all__ = ["EngineError", "running"]

_SECONDS_TO_START = 60.0
_SECONDS_TO_END = 10.0
_ATTEMPTS = 3
_PORT_TAKEN = "Address already in use"


@contextmanager
def running(data: Path | None = None, on_end: Callable[[], object] | None = None) -> Iterator[str]:
    """Run DynamoDB Local until the context ends, and yield its URL, `http://127.0.0.1:<port>`.

    `data` is the folder for its data; with None the data stay in memory. All credentials and regions see the same
    tables. The engine listens on all interfaces, because it has no option for that. If it ends before the context,
    `on_end` is called in another thread. Raises `EngineError` if Java or npm is missing, the folder is in use, or the
    engine does not start.
    """
    java = _java()
    engine = fetch()
    if data is not None:
        with (
            data_folder.locked(data) as folder,
            _process(java, engine, folder, ["-dbPath", str(folder)], on_end) as url,
        ):
            yield url
    else:
        with tempfile.TemporaryDirectory() as name, _process(java, engine, Path(name), ["-inMemory"], on_end) as url:
            yield url


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else None
    java = java or shutil.which("java")
    if java is None:
        raise EngineError("DynamoDB Local needs Java 17 or newer, and there is no java")
    return java


@contextmanager
def _process(
    java: str, engine: Path, folder: Path, storage: list[str], on_end: Callable[[], object] | None
) -> Iterator[str]:
    """Run the engine in `folder`, where it writes a log and a metadata file."""
    for attempt in range(1, _ATTEMPTS + 1):
        port = _free_port()
        command = [
            java,
            "-Xmx512m",
            f"-Djava.library.path={engine / 'DynamoDBLocal_lib'}",
            *("-jar", str(engine / "DynamoDBLocal.jar")),
            *("-port", str(port), *storage, "-sharedDb", "-disableTelemetry"),
        ]
        log = folder / "engine.log"
        with log.open("wb") as output:
            # The engine has its own session, so that Ctrl-C reaches only us. We end the engine after the last request.
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            data_folder.remember(folder, process.pid)
            with _guard(process.pid):
                if _answers(process, port, log):
                    with _watch(process, on_end):
                        yield f"http://127.0.0.1:{port}"
                    return
            said = _read(log)
            # Another program may have taken the port between our choice and the engine's start.
            if _PORT_TAKEN not in said or attempt == _ATTEMPTS:
                raise EngineError(_failure(said))
        finally:
            _end(process)
            data_folder.forget(folder)


@contextmanager
def _guard(pid: int) -> Iterator[None]:
    """Make sure that the engine ends even if this process cannot end it, for example after a kill -9.

    A shell waits until its input closes, which happens when this process ends for any reason. Then it ends the engine.
    """
    command = ["/bin/sh", "-c", 'read -r _; kill "$1"', "sh", str(pid)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as guard:
        try:
            yield
        finally:
            guard.kill()


@contextmanager
def _watch(process: subprocess.Popen[bytes], on_end: Callable[[], object] | None) -> Iterator[None]:
    """Call `on_end` if the process ends before the context."""
    left = threading.Event()

    def watch() -> None:
        process.wait()
        if on_end and not left.is_set():
            on_end()

    threading.Thread(target=watch, name="engine", daemon=True).start()
    try:
        yield
    finally:
        left.set()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    """Wait until the engine responds, with any status. Return False if it ended or took too long."""
    end = time.monotonic() + _SECONDS_TO_START
    # If its port is taken, the engine logs that and hangs.
    while process.poll() is None and _PORT_TAKEN not in _read(log) and time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        else:
            return True
        finally:
            connection.close()
    return False


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _failure(log: str) -> str:
    if "UnsupportedClassVersionError" in log:
        return "DynamoDB Local needs Java 17 or newer, and this java is older"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f"DynamoDB Local did not start: {lines[-1] if lines else 'no answer'}"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
