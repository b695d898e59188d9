"""The reasons why a call of the model failed. Their texts say what to correct, and contain neither key nor URL."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from shared.runs.endpoint import NO_KEY, Endpoint
from shared.runs.records import Failure

_LONGEST_QUOTE = 600
# A shorter secret is a placeholder, such as the key "x", and many words would contain it.
_SHORTEST_SECRET = 4
_SECRETS = (r"\b\w+://\S+", r"\bsk-\S+", r"\bBearer\s+\S+")
_INVALID_PROMPT = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
_SERVER_ERRORS = 500

_URL = "Correct ModelUrl (locally MODEL_URL): it usually ends in /v1."
_KEY = "Correct ModelKeySecret (locally MODEL_API_KEY)."
_MAP = "Correct ModelMap (locally MODEL_MAP), or the model of the assistant or run."
_CONTEXT = "Correct ModelContext (locally MODEL_CONTEXT), or the run's max_prompt_tokens."
_MAX_TOKENS = "Correct MaxTokensParameter (locally MAX_TOKENS_PARAMETER)."


class Problem(NamedTuple):
    """A call of the model that failed. `retry_after` is in seconds, or None if the endpoint does not give it."""

    failure: Failure
    status: int | None = None
    is_passing: bool = False
    retry_after: float | None = None


class Confidential:
    """The key and the URL of an endpoint. An endpoint may repeat them in its errors, but no failure may show them."""

    def __init__(self, endpoint: Endpoint, key: str) -> None:
        host = endpoint.base_url.partition("://")[2].partition("/")[0].rpartition("@")[2]
        name = host.partition(":")[0]
        secrets = (endpoint.base_url, host, name if "." in name else "", key if key != NO_KEY else "")
        self._pattern = re.compile("|".join([*_longest_first(secrets), *_SECRETS]), re.IGNORECASE)

    def quote(self, text: str) -> str:
        """Return the text in one line, without confidential parts, cut to a readable length."""
        line = " ".join(self._pattern.sub("[redacted]", text).split()).rstrip(".")
        return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}…"


def _longest_first(secrets: Iterable[str]) -> list[str]:
    usable = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    return [re.escape(secret) for secret in sorted(usable, key=len, reverse=True)]


def of_status(status: int, said: str, model: str, retry_after: float | None = None) -> Problem:
    """Return the problem for the status of a response; `said` is the endpoint's message."""
    code = "server_error"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        code = "rate_limit_exceeded"
    elif status in _INVALID_PROMPT:
        code = "invalid_prompt"
    quoted = f": {said}" if said else ""
    message = f"The model's endpoint responded with status {status}{quoted}. {_correction(status, said, model)}"
    passing = status == HTTPStatus.TOO_MANY_REQUESTS or status >= _SERVER_ERRORS
    return Problem(Failure(code, message.strip()), status, passing, retry_after)


def of_stream(said: str) -> Problem:
    """Return the problem for an error without a status, inside a stream."""
    return _server_error(f"The model's endpoint broke off its answer: {said or 'it gave no reason'}.")


def unreachable() -> Problem:
    """The connection could not be made, or was lost."""
    return _server_error(f"The connection to the model's endpoint failed. {_URL}")._replace(is_passing=True)


def silent() -> Problem:
    """The endpoint did not connect or respond within the time-out."""
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
    """A successful response that is not a stream, such as a page of HTML."""
    kind = content_type or "no content type"
    return _server_error(f"The model's endpoint responded with {kind} instead of text/event-stream. {_URL}")


def malformed_chunk(error: Exception) -> Problem:
    """A chunk of a stream that has not the form of a chat completion's chunk."""
    return _server_error(
        f"The model's endpoint sent a chunk that is no part of a chat completion ({type(error).__name__})."
    )


def nameless_call() -> Problem:
    """An answer that calls a function without its name."""
    return _server_error("The model called a function without a name.")


def not_understood(error: Exception) -> Problem:
    """Any other response that cannot be read as an answer."""
    return _server_error(
        f"The model's endpoint sent no chat completion, or its URL is malformed ({type(error).__name__}). {_URL}"
    )


def no_key(error: Exception) -> Problem:
    """The key cannot be read or sent."""
    return _server_error(f"The key of the model's endpoint cannot be used ({error}). {_KEY}")


def message_of(body: object) -> str:
    """Return the message of an error, from OpenAI's form `{"error": {"message"}}` or a similar form."""
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and name in body:
            body = body[name]
    return body if isinstance(body, str) and not body.startswith("<") else ""


def _server_error(message: str) -> Problem:
    return Problem(Failure("server_error", message))


def _correction(status: int, said: str, model: str) -> str:
    is_bad, is_unknown = status == HTTPStatus.BAD_REQUEST, status == HTTPStatus.NOT_FOUND
    is_forbidden = status == HTTPStatus.FORBIDDEN
    names_model = re.search(rf"(?<![\w.-]){re.escape(model)}(?![\w-])", said)
    rules = (
        # OpenAI responds with 403 for a model that the key may not use.
        (_KEY, status == HTTPStatus.UNAUTHORIZED or (is_forbidden and not names_model)),
        (_CONTEXT, is_bad and re.search("context (length|window|size)", said)),
        (_MAX_TOKENS, is_bad and re.search("max_(completion_)?tokens", said)),
        (_MAP, (is_bad or is_unknown or is_forbidden) and names_model),
        (_MAP, is_unknown and re.search("model|deployment", said, re.IGNORECASE)),
        (_MAP, is_bad and "model identifier" in said),
        (_URL, is_unknown or status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.METHOD_NOT_ALLOWED),
    )
    return next((correction for correction, applies in rules if applies), "")
