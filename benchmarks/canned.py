"""AWS without AWS: our handlers' calls and DynamoDB's answers, recorded once on moto, and answered again as HTTP."""

import base64
import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock

import botocore.httpsession
from botocore.awsrequest import AWSResponse

from tests.support.hooks import hooked

# Looking up the API key is no call of the operation's: it is done once a minute.
_KEY_LOOK_UP = b'"key#'
_HEADERS: Any = {"content-type": "application/x-amz-json-1.0"}


class Call(NamedTuple):
    """One call of AWS: its operation, its parameters, and the JSON that DynamoDB answered."""

    operation: str
    parameters: dict[str, Any]
    answer: bytes


@contextlib.contextmanager
def recording() -> Iterator[list[Call]]:
    """Yield the list of the store's calls; each is added when it has been answered."""
    calls: list[Call] = []
    asked: dict[str, dict[str, Any]] = {}

    def ask(params: dict[str, Any], model: Any, **_: Any) -> None:
        asked[model.name] = copy.deepcopy(params)

    def answer(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        kept = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
        text = json.dumps(kept, default=lambda data: base64.b64encode(data).decode())
        calls.append(Call(model.name, asked[model.name], text.encode()))

    with hooked(provide_client_params=ask, after_call=answer):
        yield calls


@contextlib.contextmanager
def http_handler(calls: list[Call], key: bytes) -> Iterator[None]:
    """Answer every request of botocore's with what was recorded for its operation, and the look-up of an API key."""
    answers = {call.operation: call.answer for call in calls}

    def send(_: object, request: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
        body = key if _KEY_LOOK_UP in request.body else answers[operation]
        return AWSResponse(request.url, 200, _HEADERS, _Raw(body))

    with mock.patch.object(botocore.httpsession.URLLib3Session, "send", send):
        yield


class _Raw:
    """What botocore reads a body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        return iter([self._body])
