"""The one way into every operation: the key is checked, the operation run, an error answered."""

import json
from collections.abc import Callable
from http import HTTPStatus

from shared import error_mapping
from shared.auth import authenticate
from shared.request import Request
from shared.responses import Event, LogFields, Response, Result, http_handler
from shared.store import table

# In the init phase, which a request does not wait for.
table.client()

__all__ = ["Response", "serve"]


def serve(operation: Callable[[Request], Response]) -> Callable[[Event, object], Result]:
    """Return the Lambda handler of an operation. There is no other way to reach one, and no way round the key."""

    def answer(event: Event, log_fields: LogFields) -> Response:
        table.set_deadline()
        found = _answer(operation, event, log_fields)
        if retries := table.retries():
            log_fields["retries"] = retries
        return found

    return http_handler(operation.__name__, answer)


def _answer(operation: Callable[[Request], Response], event: Event, log_fields: LogFields) -> Response:
    """Run the operation; add to the report, which is logged, who asked and what went wrong."""
    try:
        key = authenticate(event.get("headers", {}))
        log_fields |= {"project": key.project, "key_id": key.id}
        return operation(Request(event, key))
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer in the wire's shape
        known = error_mapping.wire_error(error, event.get("pathParameters", {}).get("threadId", ""))
        if known.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log_fields["cause"] = error_mapping.cause(error)
        return Response(json.dumps(known.body), known.status, known.headers)
