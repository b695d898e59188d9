"""Why a call of the model failed, in words that say what to correct and hold neither key nor URL."""

import re
from http import HTTPStatus
from typing import NamedTuple

from shared.runs.endpoint import NO_KEY, Endpoint
from shared.runs.records import Failure

_LONGEST_QUOTE = 600
_SECRETS = re.compile(r"\b\w+://\S+|\bsk-\S+|\bBearer\s+\S+")
_INVALID_PROMPT = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
_SERVER_ERRORS = 500

_URL = "Correct ModelUrl (locally MODEL_URL): it usually ends in /v1."
_KEY = "Correct ModelKeySecret (locally MODEL_API_KEY)."
_MAP = "Correct ModelMap (locally MODEL_MAP), or the model of the assistant or run."
_MAX_TOKENS = "Correct MaxTokensParameter (locally MAX_TOKENS_PARAMETER)."


class Problem(NamedTuple):
    """A call of the model that failed. `retry_after` is in seconds, None when the endpoint does not say."""

    failure: Failure
    status: int | None = None
    is_passing: bool = False
    retry_after: float | None = None


def of_status(status: int, body: object, model: str, retry_after: float | None = None) -> Problem:
    """Return the problem that a status and the body of an error mean."""
    said = _said(body)
    code = "server_error"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        code = "rate_limit_exceeded"
    elif status in _INVALID_PROMPT:
        code = "invalid_prompt"
    quote = f": {said.rstrip('.')}" if said else ""
    message = f"The model's endpoint responded with status {status}{quote}. {_correction(status, said, model)}"
    passing = status == HTTPStatus.TOO_MANY_REQUESTS or status >= _SERVER_ERRORS
    return Problem(Failure(code, message.strip()), status, passing, retry_after)


def of_stream(body: object) -> Problem:
    """Return the problem that an error inside a stream means, when it has no status."""
    reason = _said(body).rstrip(".") or "it gave no reason"
    return _server_error(f"The model's endpoint broke off its answer: {reason}.")


def unreachable() -> Problem:
    """No connection, or one that was lost."""
    return _server_error(f"The connection to the model's endpoint failed. {_URL}")._replace(is_passing=True)


def silent() -> Problem:
    """Nothing arrived for as long as a connection or an answer may take."""
    return _server_error(f"The model's endpoint did not respond in time. If it never does: {_URL}")


def out_of_time() -> Problem:
    """The run's time is over."""
    return _server_error("The model's answer was not complete when the time of the run was over.")


def unfinished() -> Problem:
    """A stream that ended before the answer was complete."""
    return _server_error(
        "The model's endpoint ended its answer without a finish_reason: it broke off, or has no choice."
    )


def no_stream(content_type: str) -> Problem:
    """A success that is no stream, such as a page of HTML."""
    kind = content_type.partition(";")[0] or "no content type"
    return _server_error(f"The model's endpoint responded with {kind} instead of text/event-stream. {_URL}")


def not_understood(error: Exception) -> Problem:
    """Whatever else cannot be read as an answer."""
    return _server_error(
        f"The model's endpoint sent no chat completion, or its URL is malformed ({type(error).__name__}). {_URL}"
    )


def no_key(error: Exception) -> Problem:
    """The key cannot be read or sent."""
    return _server_error(f"The key of the model's endpoint cannot be used ({error}). {_KEY}")


def redacted(failure: Failure, endpoint: Endpoint, key: str) -> Failure:
    """Return the failure without anything secret that the endpoint may have repeated."""
    message = failure.message
    host = endpoint.base_url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    name = host.partition(":")[0]
    for secret in (endpoint.base_url, host, name if "." in name else "", key if key != NO_KEY else ""):
        message = message.replace(secret, "[redacted]") if secret else message
    return failure._replace(message=_SECRETS.sub("[redacted]", message))


def _server_error(message: str) -> Problem:
    return Problem(Failure("server_error", message))


def _correction(status: int, said: str, model: str) -> str:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _KEY
    if re.search(rf"(?<![\w.-]){re.escape(model)}(?![\w-])", said) or (
        status == HTTPStatus.NOT_FOUND and "model" in said.lower()
    ):
        return _MAP
    if status == HTTPStatus.BAD_REQUEST and ("max_tokens" in said or "max_completion_tokens" in said):
        return _MAX_TOKENS
    if status < HTTPStatus.BAD_REQUEST or status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return _URL
    return ""


def _said(body: object) -> str:
    """Return the message of an error: `{"error": {"message"}}` as OpenAI has it, or one of the other forms."""
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and name in body:
            body = body[name]
    text = body if isinstance(body, str) and "<" not in body[:1] else ""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
