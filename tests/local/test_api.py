"""`message-api serve` as a person uses it: what it prints, serves and refuses, and how it ends."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import httpx
import pytest
import uvicorn

from tests.support import program
from tests.support.local_api import ROOT, LocalApi, serving, start
from tools.local import template
from tools.local.dynamodb import data_folder
from tools.local.server import listening

Refused = Callable[..., tuple[int, str, str]]
_ELSEWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "AWS_PROFILE": "nobody",
}


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    """Serve where the environment leads to an account."""
    with serving(API_KEYS="alpha=sk-alpha,beta+trusted=sk-beta", **_ELSEWHERE) as served:
        yield served


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refused]:
    """Return what runs `serve` in this process, where it must not serve: its exit code, stdout and stderr."""

    def run(**own: str) -> tuple[int, str, str]:
        result = program.invoke("serve", **{"PORT": "0"} | own)
        return result.exit_code, result.stdout, result.stderr

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("it serves")

    monkeypatch.setattr(uvicorn.Server, "run", fail)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_it_prints_how_to_use_it(api: LocalApi) -> None:
    assert api.printed == (
        f"Message API at {api.base_url} (data in memory, gone when this ends; DATA=folder keeps it)\n"
        "API key of project alpha: sk-alpha\n"
        "API key of project beta: sk-beta\n"
        f"Thread browser at {api.base_url.removesuffix('/v1')}/browser/\n"
        f"Documentation at {api.base_url.removesuffix('/v1')}/docs\n"
        "\n"
        "from openai import OpenAI\n"
        "\n"
        f'client = OpenAI(base_url="{api.base_url}", api_key="sk-alpha")\n'
        "thread = client.beta.threads.create()\n"
        'client.beta.threads.messages.create(thread.id, role="user", content="Hello")\n'
        "for message in client.beta.threads.messages.list(thread.id):\n"
        "    print(message.id, message.role, message.content[0].text.value)\n"
    )
    pages = [f"{api.base_url.removesuffix('/v1')}/{page}" for page in ("browser/", "docs")]
    assert [httpx.get(page).status_code for page in pages] == [200, 200]


@pytest.mark.parametrize("prefix", ["", "/v1", "/openai", "/openai/v1"])
def test_it_serves_the_api(api: LocalApi, prefix: str) -> None:
    root = api.base_url.removesuffix("/v1") + prefix
    with httpx.Client(headers={"Authorization": "Bearer sk-alpha"}) as client:
        thread = client.post(f"{root}/threads").json()
        message = client.post(f"{root}/threads/{thread['id']}/messages", json={"role": "user", "content": "é"}).json()
        assert client.get(f"{root}/threads/{thread['id']}/messages").json() == {
            "object": "list",
            "data": [message],
            "first_id": message["id"],
            "last_id": message["id"],
            "has_more": False,
        }
        assert client.get(f"{root}/threads/{thread['id']}").json() == thread
        foreign = client.get(f"{root}/threads/{thread['id']}", headers={"Authorization": "Bearer sk-beta"})
        assert foreign.status_code == 404
        assert client.get(f"{root}/threads", headers={"Authorization": ""}).status_code == 401
        unknown = client.get(f"{root}/nowhere")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_url")
        assert client.delete(f"{root}/threads").status_code == 405


def test_accepted_connections_send_small_packets_at_once() -> None:
    """Without TCP_NODELAY, each request on a kept connection waits 40 ms."""

    async def nodelay_of_an_accepted_connection() -> int:
        options: asyncio.Queue[int] = asyncio.Queue()

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted: socket.socket = writer.get_extra_info("socket")
            options.put_nowait(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()
            await writer.wait_closed()

        with listening(0) as listener:
            async with await asyncio.start_server(accept, sock=listener):
                _, writer = await asyncio.open_connection(*listener.getsockname())
                option = await options.get()
                writer.close()
                await writer.wait_closed()
        return option

    assert asyncio.run(nodelay_of_an_accepted_connection()) == 1


def test_only_a_trusted_key_may_give_a_run_id(api: LocalApi) -> None:
    body = {"messages": [{"role": "assistant", "content": "x", "run_id": "run_1"}]}
    answers = [
        httpx.post(f"{api.base_url}/threads", json=body, headers={"Authorization": f"Bearer {key}"})
        for key in ("sk-alpha", "sk-beta")
    ]
    assert [answer.status_code for answer in answers] == [400, 200]


def test_its_log_has_a_line_for_each_request_and_no_secret(api: LocalApi) -> None:
    before = len(api.errors)
    httpx.get(f"{api.base_url}/threads?limit=1&x=private", headers={"Authorization": "Bearer sk-alpha"})
    lines = api.errors[before:].splitlines()
    assert [line.split()[:3] for line in lines] == [["GET", "/v1/threads", "400"]]


def test_an_account_of_ones_own_is_never_reached(api: LocalApi) -> None:
    assert httpx.get(f"{api.base_url}/threads", headers={"Authorization": "Bearer sk-alpha"}).status_code == 200


def test_without_a_model_there_are_no_assistants_and_runs(api: LocalApi) -> None:
    with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-alpha"}) as client:
        thread = f"/threads/{client.post('/threads').json()['id']}"
        for path in ("/assistants", "/threads/runs", f"{thread}/runs", f"{thread}/runs/run_1/cancel"):
            response = client.post(path, json={"assistant_id": "asst_1"})
            error = response.json()["error"]
            assert (response.status_code, error["code"]) == (404, "unknown_url")
            assert "(locally MODEL_URL)" in error["message"]
    assert "Runs:" not in api.printed


def test_it_ends_cleanly() -> None:
    """By SIGTERM; tests/local/test_event_side.py ends one by SIGINT."""
    with serving() as api:
        assert api.api_key.startswith("sk-")
        with httpx.Client(headers={"Authorization": f"Bearer {api.api_key}"}) as kept_open:
            assert kept_open.get(f"{api.base_url}/threads").status_code == 200
            api.process.terminate()
            assert api.process.wait(10) == 0
        assert "Traceback" not in api.errors


_LOST = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)
except SystemExit:
    pass
"""

_WHILE_THE_EVENT_LOOP_IS_MADE = """
import asyncio, os, signal
made = asyncio.SelectorEventLoop.__init__
def make(*given):
    os.kill(os.getpid(), signal.SIGINT)
    made(*given)
asyncio.SelectorEventLoop.__init__ = make
"""


@pytest.mark.parametrize("code", [_LOST, _WHILE_THE_EVENT_LOOP_IS_MADE], ids=["lost", "while the event loop is made"])
def test_a_signal_that_comes_while_it_starts_ends_it(tmp_path: Path, code: str) -> None:
    package = tmp_path / "functions" / "__init__.py"
    package.parent.mkdir()
    package.write_text(f"{code}__path__ = [{str(ROOT / 'functions')!r}]\n")
    process = start(tmp_path)
    printed, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert printed.startswith("Message API at ")


def test_a_port_in_use_is_one_line() -> None:
    """As a process of its own; what else is refused is so in this process."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(PORT=str(port))
        message = f"Error: cannot serve on port {port}: Address already in use; choose another with --port or PORT\n"
        assert process.communicate(timeout=60) == ("", message)
    assert process.returncode == 1


def test_a_missing_java_is_one_line(refused: Refused, tmp_path: Path) -> None:
    message = "Error: DynamoDB Local needs Java 17 or newer, and there is no java\n"
    assert refused(DATA=str(tmp_path), PATH="/nowhere", JAVA_HOME="") == (1, "", message)


def test_a_folder_in_use_is_one_line(refused: Refused, dynamodb_local: str, tmp_path: Path) -> None:
    with data_folder.locked(tmp_path):
        message = f"Error: {tmp_path} is in use by process {os.getpid()}\n"
        assert refused(DATA=str(tmp_path)) == (1, "", message)


def test_a_dynamodb_that_does_not_answer_is_one_line(refused: Refused) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    message = f'Error: no table message-api-Table to work with: Could not connect to the endpoint URL: "{url}/"\n'
    assert refused(DYNAMODB_URL=url) == (1, "", message)


def test_a_table_with_other_keys_is_one_line(refused: Refused, dynamodb_local: str) -> None:
    session = boto3.Session("local", "local", region_name=template.REGION)
    session.client("dynamodb", endpoint_url=dynamodb_local).create_table(
        TableName="foreign",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    message = "Error: the table foreign exists there with other keys\n"
    assert refused(DYNAMODB_URL=dynamodb_local, TABLE_NAME="foreign") == (1, "", message)
