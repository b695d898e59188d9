"""What an HTTP function answers: with an id and its time, logged in one line, compressed when that is worth it."""

import base64
import re
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger

from shared.settings import settings

Event = dict[str, Any]
LogFields = dict[str, Any]
Result = dict[str, Any]

_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
# Below this, a compressed body in base64 saves nothing worth its time.
_GZIP_FROM_CHARACTERS = 4_096
# Lambda's answer ends at 6,291,556 bytes; the rest is for headers and the envelope.
_GZIP_TO_CHARACTERS = 6_190_000

# What of a report CloudWatch is to count as well. A line says so itself (embedded metric format), and only when there
# is something to count: a metric that is sent, or kept in the function, would cost every request.
_COUNTED = ("cold_start", "retries")

_logger = Logger()
_first_request = iter([1])


class Response(NamedTuple):
    """What an operation answers: JSON text, a status, further headers."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})

    def replay(self, replayed: bool) -> "Response":
        """Return the answer marked as the repeat of an earlier one, if it is that."""
        return self._replace(headers={**self.headers, "idempotent-replayed": "true"}) if replayed else self


def http_handler(name: str, answer: Callable[[Event, LogFields], Response]) -> Callable[[Event, object], Result]:
    """Return the Lambda handler of an HTTP function; `answer` may add to the report of a request, which is logged."""

    def handler(event: Event, _context: object) -> Result:
        started = time.perf_counter()
        request_id = f"req_{uuid.uuid4().hex}"
        gateway_id = event.get("requestContext", {}).get("requestId")
        log_fields: LogFields = {"operation": name, "request_id": request_id, "gateway_request_id": gateway_id}
        if next(_first_request, 0):
            log_fields["cold_start"] = 1
        found = answer(event, log_fields)
        milliseconds = round((time.perf_counter() - started) * 1000)
        log_fields |= {"status": found.status, "milliseconds": milliseconds, **_metrics(log_fields)}
        (_logger.error if "cause" in log_fields else _logger.info)("request", extra=log_fields)
        headers = {
            "content-type": "application/json",
            "x-request-id": request_id,
            "openai-processing-ms": str(milliseconds),
            **found.headers,
        }
        return _encode(found, headers, event.get("headers", {}).get("accept-encoding", ""))

    return handler


def _metrics(log_fields: LogFields) -> LogFields:
    """Return what makes CloudWatch count in a report, of which the log line is made; mostly nothing."""
    metrics = [{"Name": name, "Unit": "Count"} for name in _COUNTED if name in log_fields]
    if not metrics:
        return {}
    directive = {"Namespace": settings().metrics_namespace, "Dimensions": [[]], "Metrics": metrics}
    return {"_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}}


def _encode(answer: Response, headers: dict[str, str], accepted: str) -> Result:
    """Return the answer as Lambda takes it, compressed when the client accepts that and it is worth it."""
    if len(answer.body) >= _GZIP_FROM_CHARACTERS and _GZIP.search(accepted):
        compressor = zlib.compressobj(level=1, wbits=31)  # 31: with gzip's header
        body = base64.b64encode(compressor.compress(answer.body.encode()) + compressor.flush()).decode()
        if len(body) <= _GZIP_TO_CHARACTERS:
            headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
            return {"statusCode": answer.status, "headers": headers, "body": body, "isBase64Encoded": True}
    return {"statusCode": answer.status, "headers": headers, "body": answer.body, "isBase64Encoded": False}
