"""The responses of HTTP functions. Each has an id and its time, is logged in one line, and compressed if this helps."""

import base64
import math
import re
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from shared.log import logger
from shared.settings import settings

Event = dict[str, Any]
LogFields = dict[str, Any]
Result = dict[str, Any]

_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
# For a shorter body, compression (with base64) saves too little for the time that it takes.
_GZIP_FROM_CHARACTERS = 4_096
# Lambda's limit for a response is 6,291,556 bytes; the rest is for headers and the envelope.
_GZIP_TO_CHARACTERS = 6_190_000

# API Gateway waits 30 seconds for a whole response.
_SECONDS_OF_A_STREAM = 24.0

# The log fields that CloudWatch counts as metrics. A log line with such a field declares the metric itself (embedded
# metric format). A call that sends a metric would cost every request time.
_COUNTED = ("cold_start", "retries")

_first_request = iter([1])


class Response(NamedTuple):
    """The response of an operation: JSON text, a status, further headers.

    A stream has the function `frames` instead of a body. `frames` takes the seconds that the stream may last, and
    yields the stream's text piece by piece.
    """

    body: str
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    frames: Callable[[float], Iterator[str]] | None = None

    def replay(self, replayed: bool) -> "Response":
        """Return the response. If `replayed`, it is marked as the replay of an earlier response."""
        return self._replace(headers={**self.headers, "idempotent-replayed": "true"}) if replayed else self


def http_handler(name: str, respond: Callable[[Event, LogFields], Response]) -> Callable[[Event, object], Result]:
    """Return the Lambda handler of an HTTP function; `respond` may add to the fields of the request's log line."""

    def handler(event: Event, context: object) -> Result:
        started = time.perf_counter()
        request_id = f"req_{uuid.uuid4().hex}"
        gateway_id = event.get("requestContext", {}).get("requestId")
        log_fields: LogFields = {"operation": name, "request_id": request_id, "gateway_request_id": gateway_id}
        if next(_first_request, 0):
            log_fields["cold_start"] = 1
        response = respond(event, log_fields)
        # The local API sends a stream piece by piece. Lambda's Python runtime takes only whole responses.
        is_sent_on = response.frames is not None and hasattr(context, "streams")
        if response.frames and not is_sent_on:
            seconds = _SECONDS_OF_A_STREAM - (time.perf_counter() - started)
            response = response._replace(body="".join(response.frames(seconds)))
        milliseconds = round((time.perf_counter() - started) * 1000)
        log_fields |= {"status": response.status, "milliseconds": milliseconds, **_metrics(log_fields)}
        (logger.error if "cause" in log_fields else logger.info)("request", extra=log_fields)
        headers = {
            "content-type": "application/json",
            "x-request-id": request_id,
            "openai-processing-ms": str(milliseconds),
            **response.headers,
        }
        if response.frames and is_sent_on:
            return {"statusCode": response.status, "headers": headers, "body": response.frames(math.inf)}
        return _encode(response, headers, event.get("headers", {}).get("accept-encoding", ""))

    return handler


def _metrics(log_fields: LogFields) -> LogFields:
    """Return the log fields that declare metrics to CloudWatch. Most requests have none."""
    metrics = [{"Name": name, "Unit": "Count"} for name in _COUNTED if name in log_fields]
    if not metrics:
        return {}
    directive = {"Namespace": settings().metrics_namespace, "Dimensions": [[]], "Metrics": metrics}
    return {"_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}}


def _encode(response: Response, headers: dict[str, str], accepted: str) -> Result:
    """Return the response in Lambda's form, compressed if the client accepts gzip and the body is long."""
    if len(response.body) >= _GZIP_FROM_CHARACTERS and _GZIP.search(accepted):
        compressor = zlib.compressobj(level=1, wbits=31)  # 31: with gzip's header
        body = base64.b64encode(compressor.compress(response.body.encode()) + compressor.flush()).decode()
        if len(body) <= _GZIP_TO_CHARACTERS:
            headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
            return {"statusCode": response.status, "headers": headers, "body": body, "isBase64Encoded": True}
    return {"statusCode": response.status, "headers": headers, "body": response.body, "isBase64Encoded": False}
