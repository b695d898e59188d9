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
from shared.runs.failures import Problem
from shared.runs.records import Json, Outcome

# Seconds before each retry, unless the endpoint says when.
_PAUSES = (0.5, 1.0, 2.0)
_TIMEOUT = openai.Timeout(60, connect=5)
# The package adds others: its version, and what OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS hold.
_HEADERS = {"host", "authorization", "accept", "accept-encoding", "connection", "content-type", "content-length"}

# At lower levels they log requests. OPENAI_LOG would switch that on.
for _name in ("openai", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def ask(endpoint: Endpoint, request: Json, deadline: float, on_text: Callable[[str], None]) -> Outcome:
    """Call the model and return the outcome, which may be a failure; `deadline` is in seconds since 1970.

    `on_text` receives each piece of the answer's text. Before the first piece, passing problems lead to a retry.
    """
    pauses = list(_PAUSES)
    while True:
        answer = Answer()
        problem = _attempt(endpoint, request, deadline, answer, on_text)
        if problem is None:
            return answer.outcome(request)
        pause = _pause(problem, pauses, deadline)
        if pause is None or answer.has_text:
            return Outcome("failed", usage=answer.usage, failure=problem.failure)
        time.sleep(pause)


def _pause(problem: Problem, pauses: list[float], deadline: float) -> float | None:
    """Return the seconds to wait before a retry, None when there is none."""
    if not problem.is_passing or not pauses:
        return None
    pause = pauses.pop(0)
    if problem.retry_after is not None:
        pause = problem.retry_after
    return pause if time.time() + pause < deadline else None


def _attempt(
    endpoint: Endpoint, request: Json, deadline: float, answer: Answer, on_text: Callable[[str], None]
) -> Problem | None:
    """Call the model once; after a 401 once more, when the secret holds another key by now."""
    key = ""
    try:
        key = api_key(endpoint)
        problem = _call(_Call(endpoint.base_url, key, request, answer), deadline, on_text)
        if problem and problem.status == HTTPStatus.UNAUTHORIZED and endpoint.key_secret:
            refused, key = key, renewed_api_key(endpoint)
            if key != refused:
                problem = _call(_Call(endpoint.base_url, key, request, answer), deadline, on_text)
    except KeyUnusableError as error:
        problem = failures.no_key(error)
    return problem and problem._replace(failure=failures.redacted(problem.failure, endpoint, key))


@dataclass(frozen=True)
class _Call:
    """A request and what has arrived of its answer: pieces of text, then a problem or None."""

    base_url: str
    key: str
    request: Json
    answer: Answer
    received: "SimpleQueue[str | Problem | None]" = field(default_factory=SimpleQueue)
    is_abandoned: Event = field(default_factory=Event)


def _call(call: _Call, deadline: float, on_text: Callable[[str], None]) -> Problem | None:
    """Pass the answer's text on until it ends, or until the deadline, which no timeout of a connection keeps."""
    Thread(target=_receive, args=(call,), daemon=True).start()
    item: str | Problem | None
    try:
        while isinstance(item := call.received.get(timeout=max(0.0, deadline - time.time())), str):
            on_text(item)
    except Empty:
        item = failures.out_of_time()
    finally:
        call.is_abandoned.set()
    # After a finish_reason only the usage can be missing.
    return None if call.answer.finish_reason else item


def _receive(call: _Call) -> None:
    try:
        call.received.put(_read(call))
    except Exception as error:  # noqa: BLE001 - whatever an endpoint causes ends the run, not the worker
        call.received.put(_problem(error, call.request["model"]))


def _read(call: _Call) -> Problem | None:
    client = _client(call.base_url, call.key)
    # As plain data: the package's types of a chat completion take longer to load than a call, and check nothing.
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
    return failures.unfinished() if "event-stream" in content_type else failures.no_stream(content_type)


def _problem(error: Exception, model: str) -> Problem:
    match error:
        case openai.APIStatusError():
            return failures.of_status(error.status_code, error.body, model, _retry_after(error.response.headers))
        case openai.APITimeoutError():
            return failures.silent()
        case openai.APIConnectionError():
            return failures.unreachable()
        case openai.APIError():
            status = error.code or ""
            return (
                failures.of_status(int(status), error.body, model)
                if status.isdecimal()
                else failures.of_stream(error.body)
            )
        case _:
            return failures.not_understood(error)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a `retry-after` asks for, which is a number or a date."""
    text = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(text))
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return None


@lru_cache(maxsize=4)
def _client(base_url: str, key: str) -> openai.OpenAI:
    """Return a client that the environment cannot redirect: OPENAI_BASE_URL may name this very server."""
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
    # A redirect is a wrong ModelUrl: following it would send the conversation elsewhere.
    return openai.DefaultHttpxClient(follow_redirects=False, event_hooks={"request": [_keep_own_headers]})


def _keep_own_headers(request: Any) -> None:
    for name in request.headers.keys() - _HEADERS:
        del request.headers[name]
