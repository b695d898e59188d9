"""The inbound queues: each command ends as a message in its thread, in a dead-letter queue, or is delivered again."""

import json
import os
from http import HTTPStatus
from typing import Any

import botocore.session
from aws_lambda_powertools import Logger

from shared import commands, faults
from shared.errors import WireError
from shared.store import table

# A message of a queue ends at 1 MiB, its attributes included.
_MAX_BYTES = 1_048_576

_logger = Logger()
_client: Any = botocore.session.get_session().create_client("sqs")
_rejected = os.environ["REJECTED_COMMANDS_URL"]
_rejected_fifo = os.environ["REJECTED_FIFO_COMMANDS_URL"]

Record = dict[str, Any]


def ingest(records: list[Record], seconds: float) -> list[str]:
    """Run the commands in these records of a queue; return the ids of those that are to be delivered again.

    In a FIFO queue the commands behind a failed one of the same group wait for it, those of other groups go on.
    """
    again: list[str] = []
    waiting: set[str] = set()
    for record in records:
        group = record["attributes"].get("MessageGroupId")
        if group in waiting or not _is_done(record, seconds):
            again.append(record["messageId"])
            waiting |= {group} if group else set()
    return again


def _is_done(record: Record, seconds: float) -> bool:
    """Run a command; one that can never succeed is done too, once the dead-letter queue has it."""
    report = {"queue_message": record["messageId"]}
    try:
        table.start_clock(seconds)
        refusal = _refusal(record["body"])
        if refusal:
            _reject(record, refusal)
            report |= {"status": refusal.status, "code": refusal.code}
    except Exception as error:  # noqa: BLE001 - whatever it is, the command must not be lost
        # Without the exception itself, whose text could hold content.
        _logger.error("command", extra=report | {"cause": faults.cause(error)})  # noqa: TRY400
        return False
    _logger.info("command", extra=report)
    return True


def _refusal(text: str) -> WireError | None:
    """Run a command; return why it can never succeed, if so. Raises what a later try may cure."""
    thread_id = ""
    try:
        command = commands.parse(text)
        thread_id = str(command.get("thread_id"))
        commands.create_message(command)
    except Exception as error:
        refusal = faults.wire_error(error, thread_id)
        if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return refusal
    return None


def _reject(record: Record, refusal: WireError) -> None:
    """Send a command to the dead-letter queue, with the wire's error as an attribute where there is room for it."""
    text, error = record["body"], json.dumps(refusal.body)
    message: dict[str, Any] = {"QueueUrl": _rejected, "MessageBody": text}
    if len(text.encode()) + len(error) + len("errorString") <= _MAX_BYTES:
        message["MessageAttributes"] = {"error": {"DataType": "String", "StringValue": error}}
    if record["eventSourceARN"].endswith(".fifo"):
        message["QueueUrl"] = _rejected_fifo
        message["MessageGroupId"] = record["attributes"]["MessageGroupId"]
        message["MessageDeduplicationId"] = record["messageId"]
    _client.send_message(**message)
