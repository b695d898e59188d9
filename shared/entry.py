"""The only entry to every operation: it checks the key, runs the operation and maps an error to the API's error."""

import json
from collections.abc import Callable
from http import HTTPStatus

from shared import error_mapping
from shared.auth import authenticate
from shared.errors import WireError
from shared.request import Request
from shared.responses import Event, LogFields, Response, Result, http_handler
from shared.store import table

# The init phase makes the client, so that no request waits for it.
table.client()

__all__ = ["Response", "serve", "serve_any"]

Operation = Callable[[Request], Response]
Handler = Callable[[Event, object], Result]
# Returns the operation that serves a request. May add the parameters of the path to the request. Raises `WireError`.
Find = Callable[[Request], Operation]
MapError = Callable[[Exception, str], WireError]


def serve(operation: Operation) -> Handler:
    """Return the Lambda handler of an operation. It checks the key of every request."""
    return serve_any(operation.__name__, lambda _request: operation, error_mapping.wire_error)


def serve_any(name: str, find: Find, map_error: MapError) -> Handler:
    """Return the Lambda handler of several operations; `find` chooses one after the key has been checked."""

    def respond(event: Event, log_fields: LogFields) -> Response:
        table.set_deadline()
        response = _respond(event, log_fields, find, map_error)
        if retries := table.retries():
            log_fields["retries"] = retries
        return response

    return http_handler(name, respond)


def _respond(event: Event, log_fields: LogFields, find: Find, map_error: MapError) -> Response:
    """Run the operation; add to the log fields which key was used and what went wrong."""
    try:
        key = authenticate(event.get("headers", {}))
        log_fields |= {"project": key.project, "key_id": key.id}
        request = Request(event, key)
        operation = find(request)
        log_fields["operation"] = operation.__name__
        return operation(request)
    except Exception as error:  # noqa: BLE001 - every error becomes a response in the API's form
        mapped = map_error(error, event.get("pathParameters", {}).get("threadId", ""))
        if mapped.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log_fields["cause"] = error_mapping.cause(error)
        return Response(json.dumps(mapped.body), mapped.status, mapped.headers)
