"""The one way into every HTTP function: the key is checked, the operation run, an error answered, a line logged."""

import base64
import json
import re
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger

from shared import faults
from shared.auth import authenticate
from shared.request import Request
from shared.store import table

Event = dict[str, Any]
Result = dict[str, Any]

_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
# Below this, a compressed body in base64 saves nothing worth its time.
_GZIP_FROM_CHARACTERS = 4_096
# Lambda's answer ends at 6,291,556 bytes; the rest is for headers and the envelope.
_GZIP_TO_CHARACTERS = 6_190_000

_logger = Logger()


class Answer(NamedTuple):
    """What an operation answers: JSON text, a status, further headers."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})

    def replay(self, replayed: bool) -> "Answer":
        """Return the answer marked as the repeat of an earlier one, if it is that."""
        return self._replace(headers={"idempotent-replayed": "true"}) if replayed else self


def serve(operation: Callable[[Request], Answer]) -> Callable[[Event, object], Result]:
    """Return the Lambda handler of an operation. There is no other way to reach one, and no way round the key."""
    name = operation.__name__

    def handler(event: Event, _context: object) -> Result:
        started = time.perf_counter()
        request_id = f"req_{uuid.uuid4().hex}"
        table.start_clock()
        report: dict[str, Any] = {"operation": name, "request_id": request_id}
        answer = _answer(operation, event, report)
        milliseconds = round((time.perf_counter() - started) * 1000)
        report |= {"status": answer.status, "milliseconds": milliseconds}
        (_logger.error if "cause" in report else _logger.info)("request", extra=report)
        headers = {
            "content-type": "application/json",
            "x-request-id": request_id,
            "openai-processing-ms": str(milliseconds),
            **answer.headers,
        }
        return _encode(answer, headers, event.get("headers", {}).get("accept-encoding", ""))

    return handler


def _answer(operation: Callable[[Request], Answer], event: Event, report: dict[str, Any]) -> Answer:
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


def _encode(answer: Answer, headers: dict[str, str], accepted: str) -> Result:
    """Return the answer as Lambda takes it, compressed when the client accepts that and it is worth it."""
    if len(answer.body) >= _GZIP_FROM_CHARACTERS and _GZIP.search(accepted):
        compressor = zlib.compressobj(level=1, wbits=31)  # 31: with gzip's header
        body = base64.b64encode(compressor.compress(answer.body.encode()) + compressor.flush()).decode()
        if len(body) <= _GZIP_TO_CHARACTERS:
            headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
            return {"statusCode": answer.status, "headers": headers, "body": body, "isBase64Encoded": True}
    return {"statusCode": answer.status, "headers": headers, "body": answer.body, "isBase64Encoded": False}
