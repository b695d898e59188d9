"""One call of the model over HTTP. The test scripts the endpoint's behaviour."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import boto3
import openai
import pytest
from moto import mock_aws

from shared import clients
from shared.runs import endpoint as endpoints
from shared.runs import model
from shared.runs.endpoint import Endpoint
from shared.runs.records import Failure, Outcome, ToolCall, Usage
from tests.support import chat_stub
from tests.support.chat_stub import Chat, Reply, calls, chatting, deltas, fails, held, says, shows_page
from tests.support.clock import Clock

ROOT = Path(__file__).parents[2]
KEY = "sk-secret-0123456789"
SECRET_CONTENT = "The treasure is under the old oak."
USED = Usage(7, 3)
CUT = Outcome("incomplete", "Hel", usage=USED, incomplete_reason="max_completion_tokens", message_reason="max_tokens")
REQUEST: dict[str, Any] = {
    "model": "my-model",
    "messages": [{"role": "system", "content": "Whisper."}, {"role": "user", "content": SECRET_CONTENT}],
    "stream": True,
    "stream_options": {"include_usage": True},
}


@pytest.fixture(scope="module", autouse=True)
def each_connection_closed() -> Iterator[None]:
    """Close the connections that the module under test keeps for its next call."""
    yield
    model._http_client().close()
    model._http_client.cache_clear()
    model._client.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock. Pauses take no real time; they only move it forward."""
    return Clock(monkeypatch)


def _ask(
    chat: Chat, *, seconds: float = 30, key: str = KEY, secret: str = "", told: list[str] | None = None, **asked: Any
) -> Outcome:
    texts = [] if told is None else told
    endpoint = Endpoint(chat.base_url, key, secret)
    return model.ask(endpoint, REQUEST | asked, time.time() + seconds, texts.append)


def _outcome(*replies: str | int | dict[str, Any] | Reply, **asked: Any) -> Outcome:
    with chatting(*replies) as chat:
        return _ask(chat, **asked)


def _failed(*replies: str | int | dict[str, Any] | Reply, **asked: Any) -> Failure:
    """Return the failure of a call, and assert that the call had no other result."""
    outcome = _outcome(*replies, **asked)
    assert outcome.failure
    assert outcome == Outcome("failed", failure=outcome.failure, usage=outcome.usage)
    return outcome.failure


def test_an_answer_is_passed_on_as_it_arrives() -> None:
    told: list[str] = []

    assert _outcome(says("Hel", "lo"), told=told) == Outcome("completed", "Hello", usage=USED)
    assert told == ["Hel", "lo"]


def test_the_endpoint_gets_the_request_and_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with chatting("elsewhere") as other, chatting("Hello") as chat:
        monkeypatch.setenv("OPENAI_BASE_URL", other.base_url)
        for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
            monkeypatch.setenv(name, "other")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer other\nX-Team: other")

        assert _ask(chat).text == "Hello"

    body = json.dumps(REQUEST, ensure_ascii=False, separators=(",", ":"))
    assert (other.asked, chat.asked) == ([], [REQUEST])
    assert chat.headers[0] == {
        "accept": "application/json",
        "accept-encoding": chat.headers[0]["accept-encoding"],
        "authorization": f"Bearer {KEY}",
        "connection": "keep-alive",
        "content-length": str(len(body)),
        "content-type": "application/json",
        "host": chat.base_url.split("/")[2],
        "user-agent": f"OpenAI/Python {openai.__version__}",
    }


def test_without_a_key_the_word_none_is_sent() -> None:
    with chatting("Hello") as chat:
        _ask(chat, key="")

    assert chat.headers[0]["authorization"] == "Bearer none"


def test_calls_of_functions_need_action_whatever_the_finish_reason() -> None:
    asked = [("call_a", "weather", '{"city": "Rome"}'), ("call_b", "clock", "")]
    found = (ToolCall("call_a", "weather", '{"city": "Rome"}'), ToolCall("call_b", "clock", "{}"))
    expected = Outcome("requires_action", calls=found, usage=USED)

    assert _outcome(calls(*asked)) == expected
    assert _outcome(calls(*asked, finish="stop")) == expected
    assert _outcome(calls(*asked, text="Let me see.")) == expected._replace(text="Let me see.")


def test_arguments_that_are_no_json_are_passed_on() -> None:
    assert _outcome(calls(("call_a", "weather", '{"city": '))).calls == (ToolCall("call_a", "weather", '{"city": '),)


def test_calls_that_a_limit_cut_off_are_dropped() -> None:
    complete = ("call_a", "weather", '{"city": "Rome"}')
    cut = ("call_b", "weather", '{"city": "R')
    dropped = CUT._replace(text=None)

    assert _outcome(calls(cut, finish="length")) == dropped
    assert _outcome(calls(complete, cut, finish="length", text="Let me see.")) == dropped._replace(text="Let me see.")
    assert _outcome(calls(("call_b", "weather", ""), finish="length")) == dropped
    assert _outcome(calls(complete, finish="length")).status == "requires_action"


def test_one_call_is_kept_when_calls_may_not_be_parallel() -> None:
    asked = calls(("call_a", "weather", "{}"), ("call_b", "clock", '{"zo'), finish="length")

    assert _outcome(asked, parallel_tool_calls=False).calls == (ToolCall("call_a", "weather", "{}"),)
    assert _outcome(asked, parallel_tool_calls=True).calls == ()


def test_ids_of_calls_are_unique_in_the_run() -> None:
    before = {"id": "call_0", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages = [*REQUEST["messages"], {"role": "assistant", "content": None, "tool_calls": [before]}]
    repeated = calls(("call_0", "a", "{}"), ("call_1", "b", "{}"), ("call_1", "c", "{}"), ("", "d", "{}"))

    found = _outcome(repeated, messages=messages).calls

    assert [call.name for call in found] == ["a", "b", "c", "d"]
    assert found[1].id == "call_1"
    assert len({"call_0", *(call.id for call in found)}) == 5
    assert all(call.id.startswith("call_") and len(call.id) > 20 for call in (found[0], *found[2:]))


def test_calls_that_all_have_the_index_0_are_told_apart_by_their_ids() -> None:
    one = {"id": "call_a", "index": 0, "function": {"name": "weather", "arguments": '{"a":'}}
    rest = {"id": "call_a", "index": 0, "function": {"name": "weather", "arguments": "1}"}}
    other = {"id": "call_b", "function": {"name": "clock"}}
    tail = {"index": 0, "function": {"name": "clock", "arguments": "{}"}}

    found = _outcome(deltas(*({"tool_calls": [call]} for call in (one, rest, other, tail)))).calls

    assert found == (ToolCall("call_a", "weather", '{"a":1}'), ToolCall("call_b", "clock", "{}"))


FILTERED = Outcome("incomplete", "Hel", usage=USED, message_reason="content_filter")  # the run has no reason of its own
SECOND = {"index": 1, "delta": {"content": "Second"}, "finish_reason": "length"}
FIRST = {"index": 0, "delta": {"content": "First"}, "finish_reason": "stop"}
HELLO = chat_stub.chunk({"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"})
ANSWERS: dict[str, tuple[Reply, Outcome]] = {
    "a limit cut it": (says("Hel", finish="length"), CUT),
    "a limit left no text": (says(finish="length"), CUT._replace(text=None)),
    "a content filter ended it": (says("Hel", finish="content_filter"), FILTERED),
    "a content filter left no text": (says(finish="content_filter"), FILTERED._replace(text="")),
    "a refusal": (chat_stub.refuses("I ", "cannot."), Outcome("completed", None, "I cannot.", usage=USED)),
    "an empty one": (says(), Outcome("completed", "", usage=USED)),
    "as long as a message": (says("a" * 256_000), Outcome("completed", "a" * 256_000, usage=USED)),
    "of two choices the first counts": (
        Reply([chat_stub.chunk(SECOND, FIRST), chat_stub.chunk(SECOND)]),
        Outcome("completed", "First"),
    ),
    "tokens are not counted": (says("Hello", usage=None), Outcome("completed", "Hello")),
    "tokens are no object": (Reply([HELLO | {"usage": [1]}]), Outcome("completed", "Hello")),
    "tokens are no numbers": (Reply([HELLO | {"usage": {"prompt_tokens": "two"}}]), Outcome("completed", "Hello")),
    "tokens have decimals": (
        Reply([HELLO | {"usage": {"prompt_tokens": 7.0, "completion_tokens": 2.0}}]),
        Outcome("completed", "Hello", usage=Usage(7, 2)),
    ),
    "tokens are null": (says("Hello", usage={"prompt_tokens": None}), Outcome("completed", "Hello")),
    "surrogates apart": (
        says("\ud83d", "\ude00!", "\ud83d"),
        Outcome("completed", "\U0001f600!\N{REPLACEMENT CHARACTER}", usage=USED),
    ),
    "lost behind its end": (replace(says("Hello", usage=None), breaks=True), Outcome("completed", "Hello")),
    "without [DONE]": (replace(says("Hello"), is_done=False), Outcome("completed", "Hello", usage=USED)),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_an_answer_makes_of_the_run(case: str) -> None:
    reply, outcome = ANSWERS[case]

    assert _outcome(reply) == outcome


def test_an_answer_longer_than_a_message_is_cut_and_not_read_on() -> None:
    told: list[str] = []

    outcome = _outcome(says(*["a" * 100_000] * 4), told=told)

    assert outcome == CUT._replace(text="a" * 256_000, usage=Usage())  # the usage comes last
    assert "".join(told) == outcome.text


def test_arguments_longer_than_a_message_are_cut_like_a_text() -> None:
    assert _outcome(calls(("call_a", "f", '"' + "a" * 256_000 + '"'))).status == "incomplete"


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (says("Hel", finish=None), "ended its answer without a finish_reason: it broke off, or has no choice."),
        (Reply([chat_stub.chunk()]), "ended its answer without a finish_reason: it broke off, or has no choice."),
        (replace(says("Hel", finish=None), breaks=True), "The connection to the model's endpoint failed."),
        (shows_page(), "responded with text/html instead of text/event-stream. Correct ModelUrl (locally MODEL_URL)"),
        (Reply(body="", content_type=""), "responded with no content type instead of text/event-stream."),
        (Reply(body='{"choices": []}'), "responded with application/json instead of text/event-stream."),
        (Reply(["data: {\n\n"]), "sent no chat completion, or its URL is malformed (JSONDecodeError)."),
        (Reply(["data: [1]\n\n"]), "sent a chunk that is no part of a chat completion (AttributeError)."),
        (deltas({"content": ["Hi"]}), "sent a chunk that is no part of a chat completion (AttributeError)."),
        (calls(("call_a", "", "{}")), "The model called a function without a name."),
        (Reply([{"error": {"message": "overloaded."}}]), "broke off its answer: overloaded."),
        (Reply([{"error": True}]), "broke off its answer: it gave no reason."),
    ],
    ids=[
        "no end",
        "no choice",
        "lost",
        "HTML",
        "nothing",
        "no stream",
        "no JSON",
        "no object",
        "no text of its content",
        "no name",
        "an error",
        "no text",
    ],
)
def test_what_is_no_whole_answer_fails_the_run(reply: Reply, text: str) -> None:
    failure = _failed(reply, seconds=1.5)

    assert failure.code == "server_error"
    assert text in failure.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_prompt"),
        (401, "server_error"),
        (403, "server_error"),
        (404, "server_error"),
        (413, "invalid_prompt"),
        (418, "server_error"),
        (422, "invalid_prompt"),
        (429, "rate_limit_exceeded"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
def test_a_failure_has_a_code_of_the_contract_and_the_endpoints_status_and_message(status: int, code: str) -> None:
    failure = _failed(fails(status, "Not now", retry_after="60"))

    assert failure.code == code
    assert failure.message.startswith(f"The model's endpoint responded with status {status}: Not now.")


@pytest.mark.parametrize(
    ("reply", "correct"),
    [
        (fails(401), "ModelKeySecret (locally MODEL_API_KEY)"),
        (fails(403), "ModelKeySecret (locally MODEL_API_KEY)"),
        (fails(404), "ModelUrl (locally MODEL_URL)"),
        (shows_page(404), "ModelUrl (locally MODEL_URL)"),
        (fails(405), "ModelUrl (locally MODEL_URL)"),
        (Reply(status=308, headers={"location": "/v1/chat/completions"}, body=""), "ModelUrl (locally MODEL_URL)"),
        (fails(404, "The model `x` does not exist."), "ModelMap (locally MODEL_MAP)"),
        (fails(404, 'model "my-model" not found, try pulling it first'), "ModelMap (locally MODEL_MAP)"),  # Ollama
        (fails(404, "The API deployment for this resource does not exist."), "ModelMap (locally MODEL_MAP)"),  # Azure
        (fails(403, "Project `p` does not have access to model `my-model`"), "ModelMap (locally MODEL_MAP)"),
        (fails(400, "The provided model identifier is invalid."), "ModelMap (locally MODEL_MAP)"),  # Bedrock
        (fails(400, "my-model is not a valid model ID"), "ModelMap (locally MODEL_MAP)"),
        (fails(400, "Unsupported parameter: 'max_tokens'"), "MaxTokensParameter (locally MAX_TOKENS_PARAMETER)"),
        (fails(400, "This model's maximum context length is 8192 tokens"), "ModelContext (locally MODEL_CONTEXT)"),
        (fails(400, "This is too long for my-model-2"), ""),
        (fails(418, "my-model is busy"), ""),
    ],
)
def test_a_failure_names_the_parameter_to_correct(reply: Reply, correct: str) -> None:
    with chatting(reply) as chat:
        outcome = _ask(chat)

    assert outcome.failure
    assert outcome.failure.message.partition("Correct ")[2].startswith(correct)
    assert bool(correct) == ("Correct" in outcome.failure.message)
    assert len(chat.asked) == 1


@pytest.mark.parametrize(
    "body", ['{"error": "No"}', '{"message": "No"}', '{"detail": "No"}', "No\n", '{"error": {"message": "No"}}']
)
def test_the_message_of_an_error_is_found_in_every_common_form(body: str) -> None:
    assert _failed(Reply(status=418, body=body)).message.startswith(
        "The model's endpoint responded with status 418: No."
    )


def test_a_page_or_an_object_is_not_quoted_and_a_long_message_not_whole() -> None:
    assert _failed(shows_page(418)).message == "The model's endpoint responded with status 418."
    assert _failed(Reply(status=418, body='{"detail": [1]}')).message == _failed(shows_page(418)).message
    assert len(_failed(fails(418, "a" * 10_000)).message) < 700


def test_an_error_inside_a_stream_has_the_code_of_its_status() -> None:
    told: list[str] = []
    full = chat_stub.chunk({"index": 0, "delta": {"content": "Hel"}})

    failure = _failed(Reply([full, {"error": {"message": "Slow down", "code": 429}}]), told=told)

    assert failure == Failure("rate_limit_exceeded", "The model's endpoint responded with status 429: Slow down.")
    assert told == ["Hel"]


@pytest.mark.parametrize("reply", [fails(429), fails(500), fails(503), Reply(breaks=True)])
def test_a_passing_fault_is_retried_three_times(reply: Reply, clock: Clock) -> None:
    with chatting(reply, reply, reply, "At last") as chat:
        assert _ask(chat).text == "At last"
    assert clock.slept == [0.5, 1.0, 2.0]

    with chatting(reply) as chat:
        assert _ask(chat).status == "failed"
    assert len(chat.asked) == 4


def test_a_retry_waits_as_long_as_the_endpoint_says(clock: Clock) -> None:
    date = format_datetime(datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=20), usegmt=True)
    past = format_datetime(datetime.fromtimestamp(time.time(), UTC) - timedelta(seconds=20), usegmt=True)

    with chatting(
        fails(429, retry_after="1.5"), fails(503, retry_after=date), fails(429, retry_after=past), "x"
    ) as chat:
        assert _ask(chat, seconds=60).status == "completed"

    assert clock.slept == [1.5, pytest.approx(18.5, abs=1.5), 0.0]


@pytest.mark.parametrize("malformed", ["soon", "nan", "-3"])
def test_a_malformed_time_does_not_stop_the_retry(malformed: str, clock: Clock) -> None:
    assert _outcome(fails(429, retry_after=malformed), "Hello").text == "Hello"


@pytest.mark.parametrize("retry_after", ["31", "inf"])
def test_a_retry_past_the_end_of_the_run_ends_it_at_once(retry_after: str, clock: Clock) -> None:
    with chatting(fails(429, "Quota", retry_after=retry_after)) as chat:
        outcome = _ask(chat, seconds=30)

    message = "The model's endpoint responded with status 429: Quota."
    assert outcome.failure == Failure("rate_limit_exceeded", message)
    assert (len(chat.asked), clock.slept) == (1, [])


def test_nothing_is_retried_once_text_went_out() -> None:
    told: list[str] = []
    lost = replace(says("Hel", finish=None), breaks=True)

    with chatting(lost, "Hello") as chat:
        outcome = _ask(chat, told=told)

    assert (outcome.status, told, len(chat.asked)) == ("failed", ["Hel"], 1)


def test_silence_is_a_fault_and_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (model._TIMEOUT.read, model._TIMEOUT.connect) == (60, 5)
    monkeypatch.setattr(model, "_TIMEOUT", openai.Timeout(0.2))
    released = threading.Event()

    with chatting(held(says("Hello"), released)) as chat:
        outcome = _ask(chat)
        released.set()

    assert outcome.failure
    assert outcome.failure.code == "server_error"
    assert outcome.failure.message.startswith("The model's endpoint did not respond in time.")
    assert len(chat.asked) == 1


def test_an_endpoint_that_drips_cannot_outlast_the_run() -> None:
    drips = Reply([": still working\n\n"] * 1_000, between=lambda: time.sleep(0.02))

    with chatting(drips) as chat:
        started = time.monotonic()
        outcome = _ask(chat, seconds=0.3)

    assert outcome.failure == Failure(
        "server_error", "The model's answer was not complete when the time of the run was over."
    )
    assert time.monotonic() - started < 5


def test_an_unreachable_endpoint_fails_the_run_within_seconds(clock: Clock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"

    outcome = model.ask(Endpoint(url), REQUEST, time.time() + 30, print)

    assert outcome.failure == Failure(
        "server_error",
        "The connection to the model's endpoint failed. Correct ModelUrl (locally MODEL_URL): it usually ends in /v1.",
    )
    assert clock.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("url", ["nonsense", "http://[1", "ftp://127.0.0.1/v1"])
def test_a_malformed_url_fails_the_run_and_is_not_shown(url: str, clock: Clock) -> None:
    outcome = model.ask(Endpoint(url), REQUEST, time.time() + 30, print)

    assert outcome.failure
    assert "Correct ModelUrl (locally MODEL_URL)" in outcome.failure.message
    assert url not in outcome.failure.message


def test_a_failure_shows_neither_key_nor_url_though_the_endpoint_repeats_them() -> None:
    with chatting() as chat:
        host = chat.base_url.split("/")[2]
        said = f"Bearer {KEY}, opaque-key at {chat.base_url}/x, {host}, 127.0.0.1; https://example.com/keys?a=sk-1"
        # A key at the end of the quoted text is not cut in two.
        padding = "a" * (590 - len("Bearer [redacted]"))
        chat.replies += [fails(400, said), fails(400, said), fails(400, f"Bearer x {padding} {KEY}")]
        failures = [_ask(chat, key=key).failure for key in (KEY, "opaque-key", KEY)]

    first, second, third = (failure.message for failure in failures if failure)
    for hidden in (KEY, KEY[:12], host, "127.0.0.1", "example.com", "sk-1"):
        assert hidden not in first
    assert "opaque-key" not in second
    assert KEY[:5] not in third
    assert "status 400" in first


def test_an_error_of_whoever_listens_is_not_taken_for_the_endpoints() -> None:
    def listen(text: str) -> None:
        raise LookupError(text)

    with chatting("Hello") as chat, pytest.raises(LookupError):
        model.ask(Endpoint(chat.base_url), REQUEST, time.time() + 30, listen)


def test_no_log_has_the_key_or_the_conversation_though_openai_log_is_set() -> None:
    code = (
        "import logging, sys, time; logging.basicConfig(level='DEBUG'); from shared.runs import model, endpoint\n"
        f"asked = endpoint.Endpoint(sys.argv[1], {KEY!r}), {REQUEST!r}, time.time() + 30, str\n"
        "sys.stdout.write(model.ask(*asked).text + model.ask(*asked).failure.code)"
    )
    with chatting(SECRET_CONTENT, fails(400, SECRET_CONTENT)) as chat:
        done = subprocess.run(
            [sys.executable, "-c", code, chat.base_url],
            cwd=ROOT,
            env=os.environ | {"OPENAI_LOG": "debug"},
            capture_output=True,
            text=True,
            check=True,
        )

    assert done.stdout == f"{SECRET_CONTENT}invalid_prompt"
    for secret in (KEY, SECRET_CONTENT, "Whisper.", "/chat/completions"):
        assert secret not in done.stderr


class Secret:
    """A secret of Secrets Manager; `arn` is its ARN."""

    def __init__(self) -> None:
        self._client = boto3.client("secretsmanager")
        self.arn = self._client.create_secret(Name=f"model-key-{uuid.uuid4()}", SecretString=f"{KEY}\n")["ARN"]

    def replace(self, **value: Any) -> None:
        self._client.put_secret_value(SecretId=self.arn, **value)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secret]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        clients.secrets_manager.cache_clear()
        endpoints._secret.cache_clear()
        yield Secret()
    clients.secrets_manager.cache_clear()
    endpoints._secret.cache_clear()


def test_the_key_is_the_whole_secret_and_read_once_until_a_401(secret: Secret) -> None:
    with chatting("Hello", "Hello", 401, "Hello again") as chat:
        _ask(chat, key="", secret=secret.arn)
        secret.replace(SecretString="sk-other")
        _ask(chat, key="", secret=secret.arn)
        assert _ask(chat, key="", secret=secret.arn).text == "Hello again"

    assert [headers["authorization"] for headers in chat.headers] == [f"Bearer {KEY}"] * 3 + ["Bearer sk-other"]


def test_a_key_that_stays_refused_is_not_sent_again(secret: Secret) -> None:
    with chatting(401) as chat:
        outcome = _ask(chat, key="", secret=secret.arn)

    assert outcome.failure == Failure(
        "server_error",
        "The model's endpoint responded with status 401: no. Correct ModelKeySecret (locally MODEL_API_KEY).",
    )
    assert len(chat.asked) == 1


@pytest.mark.parametrize(
    ("value", "name", "reason"),
    [
        ({"SecretBinary": b"sk-binary"}, "model-key", "KeyError"),
        (
            {"SecretString": "sk-secret\nof two lines"},
            "model-key",
            "it holds characters that cannot be sent in a header",
        ),
        ({"SecretString": "sk-other"}, "other-name", "ResourceNotFoundException"),
    ],
)
def test_a_secret_that_is_no_key_or_cannot_be_read_fails_the_run_and_is_not_named(
    secret: Secret, value: dict[str, Any], name: str, reason: str
) -> None:
    secret.replace(**value)
    with chatting("Hello") as chat:
        outcome = _ask(chat, key="", secret=secret.arn.replace("model-key", name))

    assert outcome.failure == Failure(
        "server_error",
        f"The key of the model's endpoint cannot be used ({reason}). Correct ModelKeySecret (locally MODEL_API_KEY).",
    )
    assert chat.asked == []
