"""One call of the model, through the package `openai`. Only the function execute_run imports this module."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

import openai

from shared.runs import failures
from shared.runs.answer import Answer
from shared.runs.endpoint import Endpoint, KeyUnusableError, api_key, renewed_api_key
from shared.runs.failures import Confidential, Problem
from shared.runs.records import Json, Outcome

# Seconds before each retry, unless the endpoint gives a time.
_PAUSES = (0.5, 1.0, 2.0)
_TIMEOUT = openai.Timeout(60, connect=5)
# The headers that are sent. The package adds more: its platform, and the values of OPENAI_ORG_ID, OPENAI_PROJECT_ID and
# OPENAI_CUSTOM_HEADERS.
_HEADERS = {"host", "connection", "user-agent", "authorization", "accept", "accept-encoding"}
_HEADERS |= {"content-type", "content-length"}

# At lower levels, which OPENAI_LOG could set, these packages log requests.
for _name in ("openai", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def ask(endpoint: Endpoint, request: Json, deadline: float, on_text: Callable[[str], None]) -> Outcome:
    """Call the model and return the outcome, which may be a failure; `deadline` is in seconds since 1970.

    `on_text` receives each piece of the answer's text. Before the first piece, a temporary problem leads to a retry.
    """
    pauses = list(_PAUSES)
    while True:
        answer = Answer()
        problem = _attempt(endpoint, request, deadline, answer, on_text)
        if answer.has_nameless_call:
            problem = problem or failures.nameless_call()
        if problem is None:
            return answer.outcome(request)
        pause = _pause(problem, pauses, deadline)
        if pause is None or answer.has_text:
            return Outcome("failed", usage=answer.usage, failure=problem.failure)
        time.sleep(pause)


def _pause(problem: Problem, pauses: list[float], deadline: float) -> float | None:
    """Return the seconds to wait before a retry, or None if there is no retry."""
    if not problem.is_passing or not pauses:
        return None
    pause = pauses.pop(0)
    if problem.retry_after is not None:
        pause = problem.retry_after
    return pause if time.time() + pause < deadline else None


def _attempt(
    endpoint: Endpoint, request: Json, deadline: float, answer: Answer, on_text: Callable[[str], None]
) -> Problem | None:
    """Call the model once. After a 401, call it once more if the secret has another key by now."""
    try:
        key = api_key(endpoint)
        problem = _call(_Call(endpoint, key, request, answer), deadline, on_text)
        if problem and problem.status == HTTPStatus.UNAUTHORIZED and endpoint.key_secret:
            refused, key = key, renewed_api_key(endpoint)
            if key != refused:
                problem = _call(_Call(endpoint, key, request, answer), deadline, on_text)
    except KeyUnusableError as error:
        return failures.no_key(error)
    return problem


@dataclass(frozen=True)
class _Call:
    """A request and its answer. `received` gets the pieces of text as they arrive, then a problem or None."""

    endpoint: Endpoint
    key: str
    request: Json
    answer: Answer
    received: "SimpleQueue[str | Problem | None]" = field(default_factory=SimpleQueue)
    is_abandoned: Event = field(default_factory=Event)


def _call(call: _Call, deadline: float, on_text: Callable[[str], None]) -> Problem | None:
    """Pass the answer's text on until it ends, or until the deadline. Timeouts of a connection do not ensure this."""
    Thread(target=_receive, args=(call,), daemon=True).start()
    item: str | Problem | None
    try:
        while isinstance(item := call.received.get(timeout=max(0.0, deadline - time.time())), str):
            on_text(item)
    except Empty:
        item = failures.out_of_time()
    finally:
        call.is_abandoned.set()
    # After a finish_reason, only the usage can be missing, so the problem does not matter.
    return None if call.answer.finish_reason else item


def _receive(call: _Call) -> None:
    try:
        call.received.put(_read(call))
    except Exception as error:  # noqa: BLE001 - whatever an endpoint causes ends the run, not the worker
        call.received.put(_problem(error, call))


def _read(call: _Call) -> Problem | None:
    client = _client(call.endpoint.base_url, call.key)
    # The chunks are plain data. The package's types for them take longer to load than a call, and check nothing.
    with client.post(
        "/chat/completions", body=call.request, cast_to=object, stream=True, stream_cls=openai.Stream[Any]
    ) as stream:
        for chunk in stream:
            if text := call.answer.add(chunk):
                call.received.put(text)
            if call.answer.is_full or call.is_abandoned.is_set():
                break
        content_type = stream.response.headers.get("content-type", "")
    if call.answer.finish_reason:
        return None
    if "event-stream" in content_type:
        return failures.unfinished()
    return failures.no_stream(Confidential(call.endpoint, call.key).quote(content_type.partition(";")[0]))


def _problem(error: Exception, call: _Call) -> Problem:
    if isinstance(error, openai.APITimeoutError):
        return failures.silent()
    if isinstance(error, openai.APIConnectionError):
        return failures.unreachable()
    if not isinstance(error, openai.APIError):
        return failures.malformed_chunk(error) if call.answer.has_begun else failures.not_understood(error)
    said = Confidential(call.endpoint, call.key).quote(failures.message_of(error.body))
    if isinstance(error, openai.APIStatusError):
        retry_after = _retry_after(error.response.headers)
        return failures.of_status(error.status_code, said, call.request["model"], retry_after)
    if error.code and error.code.isdecimal():
        return failures.of_status(int(error.code), said, call.request["model"])
    return failures.of_stream(said)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait according to `retry-after`, which is a number or a date."""
    text = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(text))
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return None


@lru_cache(maxsize=4)
def _client(base_url: str, key: str) -> openai.OpenAI:
    """Return a client that ignores the environment: OPENAI_BASE_URL may be the URL of this API."""
    return openai.OpenAI(
        api_key=key,
        base_url=base_url,
        default_headers={"Authorization": f"Bearer {key}"},
        timeout=_TIMEOUT,
        max_retries=0,
        http_client=_http_client(),
    )


@cache
def _http_client() -> openai.DefaultHttpxClient:
    # A redirect means that ModelUrl is wrong. A client that follows it would send the conversation elsewhere.
    return openai.DefaultHttpxClient(follow_redirects=False, event_hooks={"request": [_keep_own_headers]})


def _keep_own_headers(request: Any) -> None:
    for name in request.headers.keys() - _HEADERS:
        del request.headers[name]
