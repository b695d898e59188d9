"""The commands `invoke` and `samples`, as processes of their own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.support import program
from tests.support.local_api import ROOT, environment, serving
from tools.cli.invoke import EVENTS
from tools.cli.samples import API_KEY, MESSAGE_ULID, THREAD_ULID

_THREAD = f"thread_{THREAD_ULID}"
_MESSAGE = f"msg_{MESSAGE_ULID}"


def _event(tmp_path: Path, **own: Any) -> Path:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"version": "2.0", "headers": {"authorization": f"Bearer {API_KEY}"}} | own))
    return path


def test_a_function_runs_on_an_event_and_finds_the_samples(tmp_path: Path) -> None:
    path = f"/v1/threads/{_THREAD}/messages/{_MESSAGE}"
    event = _event(
        tmp_path,
        routeKey="GET /v1/threads/{threadId}/messages/{messageId}",
        rawPath=path,
        rawQueryString="",
        pathParameters={"threadId": _THREAD, "messageId": _MESSAGE},
        requestContext={"http": {"method": "GET", "path": path}, "requestId": "1"},
        isBase64Encoded=False,
    )
    code, out, errors = program.run("invoke", "retrieve_message", "--event", event)
    assert (code, errors) == (0, "")
    answer = json.loads(out)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["id"], body["thread_id"]) == (200, _MESSAGE, _THREAD)


def test_every_sample_event_works() -> None:
    """In one process: each function's table is new, and starting an interpreter takes longer than the rest."""
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
    answers = {}
    for line in run.stdout.splitlines():
        name, code, output = line.split(" ", 2)
        assert code == "0", line
        answers[name] = json.loads(output)
    assert sorted(answers) == names
    assert {
        name: answer["statusCode"]
        for name, answer in answers.items()
        if isinstance(answer, dict) and answer.get("statusCode", 200) != 200
    } == ({"unknown_route": 404} if "unknown_route" in names else {})


def test_an_unknown_function_is_one_line() -> None:
    code, out, error = program.run("invoke", "nothing")
    assert (code, out) == (2, "")
    assert "Error: There is no function nothing; there are cancel_run, create_assistant, create_message, " in error


def test_the_samples_can_be_put_into_a_local_dynamodb(dynamodb_local: str) -> None:
    for _ in range(2):
        assert program.run("samples", dynamodb_local) == (0, "", "")
    with serving(DYNAMODB_URL=dynamodb_local) as api:
        listed = httpx.get(
            f"{api.base_url}/threads/{_THREAD}/messages", headers={"Authorization": f"Bearer {API_KEY}"}
        ).json()
        assert [message["id"] for message in listed["data"]] == [_MESSAGE]
