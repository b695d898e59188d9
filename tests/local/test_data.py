"""Data that outlives the local API: in a folder, and through a kill -9."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from tests.support.local_api import LocalApi, serving, start
from tools.local.dynamodb import data_folder


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[LocalApi, httpx.Client]]:
    """Run a local API in a folder, with its data in `data` there, and a client of it."""
    with (
        serving(folder, DATA="data", API_KEYS="alpha=sk-alpha") as api,
        httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-alpha"}) as client,
    ):
        yield api, client


def _noted_pid(folder: Path) -> int:
    file = folder / "engine.pid"
    return int(file.read_text() or 0) if file.exists() else 0


def _is_running(pid: int) -> bool:
    return "DynamoDBLocal.jar" in data_folder._command(pid)


def test_acknowledged_messages_are_written_and_survive_a_kill_and_ctrl_c_ends_the_engine_too(
    dynamodb_local: str, tmp_path: Path
) -> None:
    """DynamoDB Local answers every other transaction before it has: its file is read as a kill would leave it."""
    data = tmp_path / "data"
    pid_file = data / "engine.pid"
    file = f"file:{data / 'shared-local-instance.db'}?mode=ro&immutable=1"
    query = 'SELECT count(*) FROM "message-api-Table" WHERE rangeKey = ?'
    with _serving(tmp_path) as (api, client):
        assert "(data in data, by DynamoDB Local at http://127.0.0.1:" in api.printed
        path = f"/threads/{client.post('/threads').raise_for_status().json()['id']}/messages"
        messages = []
        for number in range(20):
            body = {"role": "user", "content": f"message {number}"}
            messages.append(client.post(path, json=body).raise_for_status().json())
            with closing(sqlite3.connect(file, uri=True)) as database:
                assert database.execute(query, (messages[-1]["id"].encode(),)).fetchone() == (1,)
        left_behind = int(pid_file.read_text())
        api.process.kill()
        api.process.wait()
    with _serving(tmp_path) as (api, client):
        assert not _is_running(left_behind)
        engine = int(pid_file.read_text())
        assert [client.get(f"{path}/{message['id']}").json() for message in messages] == messages
        api.process.send_signal(signal.SIGINT)
        assert api.process.wait(20) == 0
        assert "Traceback" not in api.errors
    assert not _is_running(engine)
    assert not pid_file.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_local_api_does_not_outlive_its_engine(dynamodb_local: str, tmp_path: Path) -> None:
    with serving(DATA=str(tmp_path)) as api:
        os.kill(int((tmp_path / "engine.pid").read_text()), signal.SIGKILL)
        assert api.process.wait(20) == 1
        last_line = api.errors.splitlines()[-1]
        assert last_line == "DynamoDB Local has ended; engine.log in the folder of the data may say why"


def test_ctrl_c_while_the_engine_starts_leaves_nothing(dynamodb_local: str, tmp_path: Path) -> None:
    process = start(DATA=str(tmp_path))
    while not (engine := _noted_pid(tmp_path)):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
    assert not _is_running(engine)
