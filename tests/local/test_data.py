"""Data that outlives the local API: in a folder, in a DynamoDB that runs already, and through a kill -9."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import httpx

from tests.support.local_api import LocalApi, serving, start
from tools.local.dynamodb import data_folder

_KEY = {"API_KEYS": "alpha=sk-alpha"}
_HEADERS = {"Authorization": "Bearer sk-alpha"}


def _create(api: LocalApi, texts: list[str]) -> dict[str, Any]:
    with httpx.Client(base_url=api.base_url, headers=_HEADERS) as client:
        thread = client.post("/threads").json()["id"]
        return {
            text: client.post(f"/threads/{thread}/messages", json={"role": "user", "content": text})
            .raise_for_status()
            .json()
            for text in texts
        }


def _retrieve(api: LocalApi, message: dict[str, Any]) -> Any:
    url = f"{api.base_url}/threads/{message['thread_id']}/messages/{message['id']}"
    return httpx.get(url, headers=_HEADERS).json()


def _noted_pid(folder: Path) -> int:
    file = folder / "engine.pid"
    return int(file.read_text() or 0) if file.exists() else 0


def _is_running(pid: int) -> bool:
    return "DynamoDBLocal.jar" in data_folder._command(pid)


def test_acknowledged_messages_survive_a_kill(dynamodb_local: str, tmp_path: Path) -> None:
    own = _KEY | {"DATA": str(tmp_path / "data")}
    pid_file = tmp_path / "data" / "engine.pid"
    with serving(**own) as api:
        messages = _create(api, [f"message {number}" for number in range(20)])
        left_behind = int(pid_file.read_text())
        api.process.kill()
        api.process.wait()
    with serving(**own) as api:
        assert not _is_running(left_behind)
        engine = int(pid_file.read_text())
        assert {text: _retrieve(api, message) for text, message in messages.items()} == messages
        api.process.terminate()
        assert api.process.wait(20) == 0
    assert not _is_running(engine)
    assert not pid_file.exists()


def test_what_is_acknowledged_has_been_written(dynamodb_local: str, tmp_path: Path) -> None:
    """DynamoDB Local answers every other transaction before it has: its file is read as a kill would leave it."""
    file = f"file:{tmp_path / 'shared-local-instance.db'}?mode=ro&immutable=1"
    with serving(DATA=str(tmp_path), **_KEY) as api, httpx.Client(base_url=api.base_url, headers=_HEADERS) as client:
        path = f"/threads/{client.post('/threads').json()['id']}/messages"
        for number in range(20):
            message = client.post(path, json={"role": "user", "content": f"{number}"}).raise_for_status().json()
            with closing(sqlite3.connect(file, uri=True)) as database:
                query = 'SELECT count(*) FROM "message-api-Table" WHERE rangeKey = ?'
                assert database.execute(query, (message["id"].encode(),)).fetchone() == (1,)


def test_the_local_api_does_not_outlive_its_engine(dynamodb_local: str, tmp_path: Path) -> None:
    with serving(DATA=str(tmp_path)) as api:
        os.kill(int((tmp_path / "engine.pid").read_text()), signal.SIGKILL)
        assert api.process.wait(20) == 1
        last_line = api.errors.splitlines()[-1]
        assert last_line == "DynamoDB Local has ended; engine.log in the folder of the data may say why"


def test_ctrl_c_ends_the_engine_too(dynamodb_local: str, tmp_path: Path) -> None:
    with serving(tmp_path, DATA="data") as api:
        assert "(data in data, by DynamoDB Local at http://127.0.0.1:" in api.printed
        engine = int((tmp_path / "data" / "engine.pid").read_text())
        api.process.send_signal(signal.SIGINT)
        assert api.process.wait(20) == 0
        assert "Traceback" not in api.errors
    assert not _is_running(engine)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_ctrl_c_while_the_engine_starts_leaves_nothing(dynamodb_local: str, tmp_path: Path) -> None:
    process = start(DATA=str(tmp_path))
    while not (engine := _noted_pid(tmp_path)):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
    assert not _is_running(engine)


def test_a_folder_in_use_is_one_line(dynamodb_local: str, tmp_path: Path) -> None:
    with data_folder.locked(tmp_path):
        process = start(DATA=str(tmp_path))
        message = f"Error: {tmp_path} is in use by process {os.getpid()}\n"
        assert process.communicate(timeout=60) == ("", message)
        assert process.returncode == 1


def test_a_dynamodb_that_runs_already_is_used(dynamodb_local: str) -> None:
    own = _KEY | {"DYNAMODB_URL": dynamodb_local, "TABLE_NAME": "another"}
    with serving(**own) as first, serving(**own) as second:
        (message,) = _create(first, ["x"]).values()
        assert _retrieve(second, message) == message


def test_a_table_with_other_keys_is_one_line(dynamodb_local: str) -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_local,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    client.create_table(
        TableName="foreign",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    process = start(DYNAMODB_URL=dynamodb_local, TABLE_NAME="foreign")
    assert process.communicate(timeout=60) == ("", "Error: the table foreign exists there with other keys\n")
    assert process.returncode == 1
