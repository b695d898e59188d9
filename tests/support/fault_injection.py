"""Injects faults between botocore and the engine. AWS has such faults now and then; no engine has them by itself.

    with fault_injection.inject(Fault("TransactWriteItems", fault_injection.lost)):
        client.message(thread_id)

A fault meets single attempts of one operation. Attempts are counted from 1 since `inject` was entered. botocore's own
second attempt of a call also counts. Faults work with moto and with DynamoDB Local.
"""

import contextvars
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.endpoint import convert_to_response_dict
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError
from botocore.model import OperationModel
from botocore.retries.quota import RetryQuota

# The result of one attempt in botocore: (HTTP response, parsed response) or an exception.
Outcome = tuple[tuple[AWSResponse, dict[str, Any]] | None, Exception | None]

_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("inside", default=False)


@dataclass
class _Scope:
    """An injection. A request's work in another thread may outlast it. That work meets no later injection."""

    has_ended: bool = False


_scope: contextvars.ContextVar[_Scope] = contextvars.ContextVar("scope", default=_Scope())  # noqa: B039 - never changed


@dataclass(frozen=True)
class Attempt:
    """One attempt of a call. `send` sends it to the engine. `request` is the request's body, decoded from JSON."""

    operation: str
    request: dict[str, Any]
    send: Callable[[], Outcome]
    answer: Callable[[int, dict[str, Any]], Outcome]


Effect = Callable[[Attempt], Outcome]


@dataclass(frozen=True)
class Fault:
    """An effect on `times` attempts of an operation, from number `at` on. If `times` is 0, it meets all from `at` on.

    If `operation` is empty, the fault meets attempts of all operations, which are counted together.
    """

    operation: str
    effect: Effect
    at: int = 1
    times: int = 1

    def meets(self, attempt: int) -> bool:
        return attempt >= self.at and (not self.times or attempt < self.at + self.times)


@dataclass
class Attempts:
    """The attempts in order: the operation and the request of each."""

    log: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.log]


@contextmanager
def inject(*faults: Fault, client: Any = None) -> Iterator[Attempts]:
    """Inject faults into the table's client, or into another client. Without faults, only record the attempts."""
    if client is None:
        from shared.store import table

        client = table.client()
    endpoint = client._endpoint
    original = endpoint._do_get_response
    counts: Counter[str] = Counter()
    seen = Attempts()
    scope = _Scope()

    def respond(request: AWSRequest, model: OperationModel, context: dict[str, Any]) -> Outcome:
        def send() -> Outcome:
            outcome: Outcome = original(request, model, context)
            return outcome

        def answer(status: int, body: dict[str, Any]) -> Outcome:
            return _parsed(endpoint, model, status, body)

        if _inside.get() or _scope.get().has_ended:
            return send()
        counts.update((model.name, ""))
        sent = json.loads(request.body)
        seen.log.append((model.name, sent))
        for fault in faults:
            if fault.operation in ("", model.name) and fault.meets(counts[fault.operation]):
                return fault.effect(Attempt(model.name, sent, send, answer))
        return send()

    endpoint._do_get_response = respond
    token = _scope.set(scope)
    try:
        # botocore repeats a call only while its client has a quota left, which the faults of earlier tests used up.
        with mock.patch.object(RetryQuota, "acquire", return_value=True):
            yield seen
    finally:
        scope.has_ended = True
        _scope.reset(token)
        endpoint._do_get_response = original


def timeout(_attempt: Attempt) -> Outcome:
    """Fail to connect. The engine does not get the request."""
    return None, ConnectTimeoutError(endpoint_url="an injected fault")


def lost(attempt: Attempt) -> Outcome:
    """Let the engine process the request, and lose its response."""
    _response, error = attempt.send()
    return None, error or ReadTimeoutError(endpoint_url="an injected fault")


def reset(_attempt: Attempt) -> Outcome:
    """Close the connection before the engine gets the request."""
    return None, ConnectionClosedError(endpoint_url="an injected fault")


def done_but_failed(attempt: Attempt) -> Outcome:
    """Let the engine process the request, and respond with a 500."""
    attempt.send()
    return server_error(attempt)


def error(code: str, status: int = 400, **further: Any) -> Effect:
    """Respond with an error, such as `AccessDeniedException`. The engine does not get the request."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "an injected fault", **further}
    return lambda attempt: attempt.answer(status, body)


throttle = error("ThrottlingException")
server_error = error("InternalServerError", status=500)


def conflict(attempt: Attempt) -> Outcome:
    """Report a conflict with another transaction. The call may be a transaction or a single write."""
    if attempt.operation.startswith("Transact"):
        return cancelled("TransactionConflict")(attempt)
    return error("TransactionConflictException")(attempt)


def cancelled(*codes: str) -> Effect:
    """Cancel a transaction for these reasons, one for each of its first parts. The other parts have no reason."""

    def effect(attempt: Attempt) -> Outcome:
        parts = len(attempt.request["TransactItems"])
        reasons = [{"Code": code} for code in (*codes, *["None"] * parts)[:parts]]
        return error("TransactionCanceledException", CancellationReasons=reasons)(attempt)

    return effect


def unprocessed(attempt: Attempt) -> Outcome:
    """Respond to a batch with all of its items unprocessed."""
    left = "UnprocessedKeys" if attempt.operation == "BatchGetItem" else "UnprocessedItems"
    return attempt.answer(200, {"Responses": {}, left: attempt.request["RequestItems"]})


def _throttled_in_part(attempt: Attempt) -> Outcome:
    others = len(attempt.request["TransactItems"]) - 1
    return cancelled(*["None"] * others, "ThrottlingError")(attempt)


def effects(operation: str) -> list[Effect]:
    """Return all faults that a call of this operation may meet: before it is done, after it, or instead."""
    found: list[Effect] = [throttle, timeout, lost, reset, server_error, done_but_failed]
    if operation in {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "TransactGetItems"}:
        found.append(conflict)
    if operation == "TransactWriteItems":
        found.append(_throttled_in_part)
    if operation in {"BatchGetItem", "BatchWriteItem"}:
        found.append(unprocessed)
    return found


def before(action: Callable[[], object]) -> Effect:
    """Call the action just before the engine processes the request. The action's own calls meet no faults."""

    def effect(attempt: Attempt) -> Outcome:
        _undisturbed(action)
        return attempt.send()

    return effect


def after(action: Callable[[], object]) -> Effect:
    """Call the action just after the engine has processed the request. The action's own calls meet no faults."""

    def effect(attempt: Attempt) -> Outcome:
        outcome = attempt.send()
        _undisturbed(action)
        return outcome

    return effect


def changed(change: Callable[[dict[str, Any]], object]) -> Effect:
    """Let the engine process the request, and change its parsed response in place."""

    def effect(attempt: Attempt) -> Outcome:
        response, error = attempt.send()
        if response:
            change(response[1])
        return response, error

    return effect


def hiding(sort: str) -> Effect:
    """Leave items out of a batch's or Query's response, if their sort key begins with this prefix."""

    def hide(answer: dict[str, Any]) -> None:
        for items in [answer["Items"]] if "Items" in answer else answer["Responses"].values():
            items[:] = [item for item in items if not item["messageId"]["S"].startswith(sort)]

    return changed(hide)


def answered(body: dict[str, Any]) -> Effect:
    """Respond with this. The engine does not get the request."""
    return lambda attempt: attempt.answer(200, body)


def _undisturbed(action: Callable[[], object]) -> None:
    token = _inside.set(True)
    try:
        action()
    finally:
        _inside.reset(token)


def _parsed(endpoint: Any, model: OperationModel, status: int, body: dict[str, Any]) -> Outcome:
    """Return the result of a response in botocore, by botocore's own parser."""
    text = json.dumps(body).encode()
    headers = {"content-type": "application/x-amz-json-1.0", "content-length": str(len(text))}
    http_response: Any = AWSResponse(endpoint.host, status, HTTPHeaders.from_dict(headers), BytesIO(text))
    http_response._content = text
    response = convert_to_response_dict(http_response, model)
    parser = endpoint._response_parser_factory.create_parser(model.service_model.resolved_protocol)
    parsed = parser.parse(response, model.output_shape)
    if status >= 300:
        endpoint._add_modeled_error_fields(response, parsed, model, parser)
    return (http_response, parsed), None
