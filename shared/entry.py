"""The one way into every operation: the key is checked, the operation run, an error answered."""

import json
from collections.abc import Callable
from http import HTTPStatus

from shared import faults
from shared.answers import Answer, Event, Report, Result, answering
from shared.auth import authenticate
from shared.request import Request
from shared.store import table

__all__ = ["Answer", "serve"]


def serve(operation: Callable[[Request], Answer]) -> Callable[[Event, object], Result]:
    """Return the Lambda handler of an operation. There is no other way to reach one, and no way round the key."""

    def answer(event: Event, report: Report) -> Answer:
        table.start_clock()
        found = _answer(operation, event, report)
        if retries := table.retries():
            report["retries"] = retries
        return found

    return answering(operation.__name__, answer)


def _answer(operation: Callable[[Request], Answer], event: Event, report: Report) -> Answer:
    """Run the operation; add to the report, which is logged, who asked and what went wrong."""
    try:
        key = authenticate(event.get("headers", {}))
        report |= {"project": key.project, "key_id": key.id}
        return operation(Request(event, key))
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer in the wire's shape
        known = faults.wire_error(error, event.get("pathParameters", {}).get("threadId", ""))
        if known.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            report["cause"] = faults.cause(error)
        return Answer(json.dumps(known.body), known.status, known.headers)
