"""The example that answers messages, against the local API and a chat endpoint of our own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uv

from tests.e2e import versions
from tests.e2e.aws_stub import aws
from tests.support.chat_stub import Chat, chatting
from tests.support.local_api import ROOT, LocalApi, serving
from tests.support.subscriber import subscribed

_FOLDER = ROOT / "examples" / "responder" / "responder"
_HEADERS = {"Authorization": "Bearer sk-alpha"}


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    with serving(API_KEYS="alpha=sk-alpha") as served:
        yield served


@pytest.fixture
def client(api: LocalApi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.base_url, headers=_HEADERS) as opened:
        yield opened


def _surroundings(api: LocalApi, chat: Chat, **own: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "MAKE"))}
    port = api.base_url.rpartition(":")[2].removesuffix("/v1")
    keys = {"MESSAGE_API_KEY": "sk-alpha", "OPENAI_API_KEY": "sk-chat"}
    return kept | keys | {"OPENAI_BASE_URL": chat.base_url, "MODEL": "m-1", "PORT": port, "PAUSE": "0.01"} | own


def _respond(api: LocalApi, chat: Chat, *events: dict[str, Any], **own: str) -> list[str]:
    """Have the responder answer these events; return what it says."""
    run = subprocess.run(
        ["make", "respond", "ARGS=-"],
        cwd=ROOT,
        env=_surroundings(api, chat, **own),
        input="".join(f"{json.dumps(event)}\n" for event in events),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.splitlines()


def _ask(api: LocalApi, client: httpx.Client, *texts: str) -> tuple[str, list[dict[str, Any]]]:
    """Make a thread of user's messages; return its id and the events that their creation has caused."""
    with subscribed(api) as events:
        thread_id: str = client.post("/threads").json()["id"]
        for text in texts:
            client.post(f"/threads/{thread_id}/messages", json={"role": "user", "content": text})
        return thread_id, events.take(1 + len(texts))


def _messages(client: httpx.Client, thread_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/threads/{thread_id}/messages", params={"order": "asc"}).json()["data"]
    return found


def _text(message: dict[str, Any]) -> tuple[str, str]:
    return message["role"], message["content"][0]["text"]["value"]


def test_the_message_api_is_not_taken_for_the_chat_endpoint(api: LocalApi) -> None:
    """As in a terminal in which the variables of the README's quick start are set."""
    with chatting() as chat:
        own = _surroundings(api, chat, OPENAI_BASE_URL=api.base_url)
        run = subprocess.run(["make", "respond"], cwd=ROOT, env=own, capture_output=True, text=True, check=False)

    told = "OPENAI_BASE_URL is this Message API, which runs no models: set it to a chat endpoint."
    assert (run.stdout, run.stderr.splitlines()[0]) == ("", told)
    assert run.returncode != 0


def test_one_command_answers_what_is_asked_from_then_on(api: LocalApi, client: httpx.Client) -> None:
    with chatting("Hello, you") as chat, subscribed(api) as events:
        own = _surroundings(api, chat, INSTRUCTIONS="Be kind.", ASSISTANT_ID="asst_1")
        command = ["make", "respond"]
        with subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True) as responder:
            assert responder.stdout
            assert responder.stdout.readline() == "Answering what is asked from now on.\n"
            thread_id = client.post("/threads").json()["id"]
            question = client.post(f"/threads/{thread_id}/messages", json={"role": "user", "content": "Hello"}).json()
            assert responder.stdout.readline() == f"{question['id']}: answered\n"
            assert [event["detail-type"] for event in events.take(3)][2] == "thread.message.created"
            responder.terminate()
    assert chat.asked == [
        {
            "model": "m-1",
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}],
        }
    ]
    answer = _messages(client, thread_id)[1]
    assert _text(answer) == ("assistant", "Hello, you")
    assert (answer["assistant_id"], answer["run_id"]) == ("asst_1", question["id"].replace("msg_", "run_"))


def test_an_event_that_comes_twice_is_answered_once(api: LocalApi, client: httpx.Client) -> None:
    thread_id, events = _ask(api, client, "Hello")
    with chatting("One", "Two") as chat:
        said = _respond(api, chat, *events, *events)
    assert [line.split(": ", 1)[1] for line in said] == ["answered", "answered already, or gone"]
    assert len(chat.asked) == 1
    assert [_text(message) for message in _messages(client, thread_id)] == [("user", "Hello"), ("assistant", "One")]


def test_a_model_that_fails_twice_is_asked_again(api: LocalApi, client: httpx.Client) -> None:
    thread_id, events = _ask(api, client, "Hello")
    with chatting(500, 429, "At last") as chat:
        said = _respond(api, chat, *events)
    assert [line.split(": ", 1)[1] for line in said] == ["InternalServerError", "RateLimitError", "answered"]
    assert [_text(message) for message in _messages(client, thread_id)][1:] == [("assistant", "At last")]


def test_a_model_that_fails_for_good_leaves_a_dead_letter_that_can_be_sent_again(
    api: LocalApi, client: httpx.Client
) -> None:
    thread_id, events = _ask(api, client, "Hello", "Are you there?")
    with chatting(*[500] * 5, "To the second") as chat:
        said = _respond(api, chat, *events)
    assert [line.split(": ", 1)[1] for line in said[:5]] == ["InternalServerError"] * 5
    kind, _, letter = said[5].partition(": ")
    assert (kind, json.loads(letter)) == ("dead letter", events[1])
    assert said[6].endswith(": answered")
    with chatting("To the first") as chat:
        _respond(api, chat, json.loads(letter))
    assert chat.asked[0]["messages"] == [{"role": "user", "content": "Hello"}]
    answers = [_text(message)[1] for message in _messages(client, thread_id)][2:]
    assert answers == ["To the second", "To the first"]


def test_the_model_reads_the_last_messages_only_and_each_part(api: LocalApi, client: httpx.Client) -> None:
    thread_id, _ = _ask(api, client, "Too old")
    image: dict[str, Any] = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    file = {"type": "image_file", "image_file": {"file_id": "file-1"}}
    text = {"type": "text", "text": "Two"}
    bodies = [
        {"role": "assistant", "content": "One"},
        {"role": "user", "content": [text, file]},
        {"role": "user", "content": [text, image]},
    ]
    with subscribed(api) as events:
        for body in bodies:
            client.post(f"/threads/{thread_id}/messages", json=body).raise_for_status()
        asked = events.take(3)[2]
    # Not what came after the question.
    client.post(f"/threads/{thread_id}/messages", json={"role": "user", "content": "Too new"})
    cut = {"finish_reason": "length", "message": {"role": "assistant", "content": "I see"}}
    with chatting(cut) as chat:
        _respond(api, chat, asked, LAST_MESSAGES="3")
    assert chat.asked[0]["messages"] == [
        {"role": "assistant", "content": "One"},
        {"role": "user", "content": "Two\n(an image)"},
        {"role": "user", "content": [text, image | {"image_url": image["image_url"] | {"detail": "auto"}}]},
    ]
    answer = _messages(client, thread_id)[-1]
    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_tokens"})


def test_a_refusal_is_one_and_silence_is_a_failure(api: LocalApi, client: httpx.Client) -> None:
    thread_id, events = _ask(api, client, "Hello")
    silence = {"message": {"role": "assistant", "content": None}}
    refusal = {"message": {"role": "assistant", "content": None, "refusal": "No."}}
    with chatting(silence, refusal) as chat:
        said = _respond(api, chat, *events)
    assert [line.split(": ", 1)[1] for line in said] == ["OpenAIError", "answered"]
    assert _messages(client, thread_id)[1]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_a_thread_that_is_gone_is_not_answered(api: LocalApi, client: httpx.Client) -> None:
    thread_id, events = _ask(api, client, "Hello")
    client.delete(f"/threads/{thread_id}")
    with chatting("Hello") as chat:
        said = _respond(api, chat, *events)
    assert [line.split(": ", 1)[1] for line in said] == ["answered already, or gone"]
    assert chat.asked == []


_INVOKE = "import app, json, sys; [app.handler(json.loads(line), None) for line in sys.stdin]"


def test_the_function_takes_its_keys_from_the_secret_and_sends_the_command_once(
    api: LocalApi, client: httpx.Client
) -> None:
    thread_id, events = _ask(api, client, "Hello")
    question = events[1]
    command = [uv.find_uv_bin(), "run", "--quiet", "--no-project", "--python", sys.executable]
    command += ["--exclude-newer", versions.EXCLUDE_NEWER, "--with=boto3"]
    command += [f"--with-requirements={_FOLDER / 'requirements.txt'}", "python", "-c", _INVOKE]
    with chatting("Hello, you") as chat, aws({"message_api_key": "sk-alpha", "chat_api_key": "sk-chat"}) as services:
        own = {
            "PYTHONPATH": str(_FOLDER),
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": services.url,
            "MESSAGE_API_URL": api.base_url,
            "COMMANDS_URL": f"{services.url}/123456789012/commands.fifo",
            "KEYS_SECRET": "responder",
            "CHAT_URL": chat.base_url,
            "MODEL": "m-1",
            "INSTRUCTIONS": "",
            "LAST_MESSAGES": "20",
            "ASSISTANT_ID": "asst_1",
        }
        # The second delivery comes before the first command has become a message.
        given = f"{json.dumps({'Records': [{'body': json.dumps(question)}]})}\n" * 2
        run = subprocess.run(
            command,
            env=_surroundings(api, chat) | own,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert (run.returncode, run.stderr) == (0, "")
    first, second = services.sent
    # The queue takes the second for the first.
    assert first["MessageDeduplicationId"] == second["MessageDeduplicationId"]
    assert first["MessageGroupId"] == thread_id
    root = api.base_url.removesuffix("/v1")
    assert httpx.post(f"{root}/_local/commands", json=json.loads(first["MessageBody"])).status_code == 200
    assert _text(_messages(client, thread_id)[1]) == ("assistant", "Hello, you")
