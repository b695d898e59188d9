"""The commands `invoke` and `samples`."""

import json
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support import program
from tests.support.local_api import ROOT, environment, serving
from tools.cli.invoke import EVENTS
from tools.cli.samples import API_KEY, MESSAGE_ULID, THREAD_ULID

_THREAD = f"thread_{THREAD_ULID}"
_MESSAGE = f"msg_{MESSAGE_ULID}"
_HEADERS = {"authorization": f"Bearer {API_KEY}"}


def test_a_function_runs_on_an_event_and_finds_the_samples(tmp_path: Path) -> None:
    path = f"/v1/threads/{_THREAD}/messages/{_MESSAGE}"
    event = {
        "version": "2.0",
        "headers": _HEADERS,
        "routeKey": "GET /v1/threads/{threadId}/messages/{messageId}",
        "rawPath": path,
        "rawQueryString": "",
        "pathParameters": {"threadId": _THREAD, "messageId": _MESSAGE},
        "requestContext": {"http": {"method": "GET", "path": path}, "requestId": "1"},
        "isBase64Encoded": False,
    }
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    code, out, errors = program.run("invoke", "retrieve_message", "--event", file)
    assert (code, errors) == (0, "")
    answer = json.loads(out)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["id"], body["thread_id"]) == (200, _MESSAGE, _THREAD)


def test_every_sample_event_works() -> None:
    """In one other process: a table in memory cannot be made in a process that has one."""
    names = sorted(path.stem for path in EVENTS.glob("*.json"))
    script = (
        "import sys; from tests.support import program\n"
        "for name in sys.argv[1:]:\n"
        "    run = program.invoke('invoke', name)\n"
        "    print(name, run.exit_code, run.output.replace(chr(10), ' '))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, *names],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    statuses = {}
    for line in run.stdout.splitlines():
        name, code, output = line.split(" ", 2)
        assert code == "0", line
        answer = json.loads(output)
        statuses[name] = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
    assert statuses == dict.fromkeys(names, 200) | {"unknown_route": 404}


def test_an_unknown_function_is_one_line() -> None:
    result = program.invoke("invoke", "nothing")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: There is no function nothing; there are cancel_run, create_assistant, create_message, " in (
        result.stderr
    )


def test_the_samples_can_be_put_into_a_dynamodb_that_the_local_api_uses(dynamodb_local: str) -> None:
    for _ in range(2):
        put = program.invoke("samples", dynamodb_local)
        assert (put.exit_code, put.output) == (0, "")
    with serving(DYNAMODB_URL=dynamodb_local) as api:
        listed = httpx.get(f"{api.base_url}/threads/{_THREAD}/messages", headers=_HEADERS).json()
        assert [message["id"] for message in listed["data"]] == [_MESSAGE]
