"""`message-api serve` as a person uses it: what it prints, serves and refuses, and how it ends."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.store import api_keys
from tests.support.local_api import ROOT, LocalApi, serving, start
from tools.local.server import listening


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    with serving(API_KEYS="alpha=sk-alpha,beta+trusted=sk-beta") as served:
        yield served


def _run(**own: str) -> tuple[int, str, str]:
    """Run a local API that is expected to end by itself; return its exit code, stdout and stderr."""
    process = start(**own)
    printed, errors = process.communicate(timeout=60)
    return process.returncode, printed, errors


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(number: int) -> None:
    with serving() as api:
        assert api.api_key.startswith("sk-")
        with httpx.Client(headers={"Authorization": f"Bearer {api.api_key}"}) as kept_open:
            assert kept_open.get(f"{api.base_url}/threads").status_code == 200
            api.process.send_signal(number)
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
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = _run(PORT=str(port))
    message = f"Error: cannot serve on port {port}: Address already in use; choose another with --port or PORT\n"
    assert run == (1, "", message)


def test_a_bad_key_spec_is_one_line_and_exit_code_2() -> None:
    code, printed, errors = _run(API_KEYS="Alpha=sk-1")
    assert (code, printed) == (2, "")
    rule = f"Error: Invalid value for '--api-key' (env var: 'API_KEYS'): {api_keys.PROJECT_RULE}"
    assert errors.splitlines()[-1] == rule


def test_a_missing_java_is_one_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("data")
    run = _run(DATA=str(data), PATH="/nowhere", JAVA_HOME="")
    message = "Error: DynamoDB Local needs Java 17 or newer, and there is no java\n"
    assert run == (1, "", message)


def test_a_dynamodb_that_does_not_answer_is_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    message = f'Error: no table message-api-Table to work with: Could not connect to the endpoint URL: "{url}/"\n'
    assert _run(DYNAMODB_URL=url) == (1, "", message)


def test_an_account_of_ones_own_is_never_reached() -> None:
    elsewhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
        "AWS_PROFILE": "nobody",
    }
    with serving(**elsewhere) as api:
        answer = httpx.get(f"{api.base_url}/threads", headers={"Authorization": f"Bearer {api.api_key}"})
        assert answer.status_code == 200
