"""A folder with DynamoDB Local's data. One process at a time uses it. The engine of a killed process is ended."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.local.dynamodb.download import EngineError

_SECONDS_TO_END = 5.0
_PROC = Path("/proc")  # only Linux has it; elsewhere ps prints the same


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Make the folder, lock it for this process, and end an engine that a killed process left running in it.

    Yields the absolute path. The operating system releases the lock when the process ends, for any reason.
    Raises `EngineError` if the folder cannot be used or another process has locked it.
    """
    folder = folder.expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise EngineError(f"cannot keep data in {folder}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise EngineError(f"{folder} is in use by process {lock.read().strip() or 'unknown'}") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        _end_leftover(folder)
        yield folder


def remember(folder: Path, pid: int) -> None:
    """Record which engine now runs on the folder, for the next start."""
    _pid_file(folder).write_text(str(pid), encoding="utf-8")


def forget(folder: Path) -> None:
    """Record that no engine runs on the folder."""
    _pid_file(folder).unlink(missing_ok=True)


def _pid_file(folder: Path) -> Path:
    return folder / "engine.pid"


def _end_leftover(folder: Path) -> None:
    try:
        pid = int(_pid_file(folder).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    for kind in (signal.SIGTERM, signal.SIGKILL):
        if _is_engine(pid, folder):
            os.kill(pid, kind)
            _wait(pid, folder)
    if _is_engine(pid, folder):
        raise EngineError(f"an engine left behind in {folder} (process {pid}) does not end")
    forget(folder)


def _wait(pid: int, folder: Path) -> None:
    end = time.monotonic() + _SECONDS_TO_END
    while _is_engine(pid, folder) and time.monotonic() < end:
        time.sleep(0.05)


def _is_engine(pid: int, folder: Path) -> bool:
    """Return whether the process is an engine on this folder. Another program may have got its number since."""
    command = _command(pid)
    return "DynamoDBLocal.jar -port " in command and f" -dbPath {folder} -" in command


def _command(pid: int) -> str:
    """Return a process's command line, or an empty string if there is no such process."""
    if (_PROC / "self" / "cmdline").exists():
        try:
            return (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            return ""
    run = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return run.stdout.strip()
