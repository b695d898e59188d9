"""The inbound queues: a command becomes a message in its thread, goes to a dead-letter queue, or is delivered again."""

import json
import os
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared import clients, commands, error_mapping
from shared.errors import WireError
from shared.log import logger
from shared.store import table

# A message of a queue may have 1 MiB at most, including its attributes.
_MAX_BYTES = 1_048_576
# SQS delivers a command at most 1,000 times. With this pause, that takes longer than the queue's retention of 14 days.
_LONGEST_PAUSE_SECONDS = 1_300


Record = dict[str, Any]


def ingest(records: list[Record], seconds: float) -> list[str]:
    """Run the commands in these records of a queue; return the ids of the records that are to be delivered again.

    In a FIFO queue, commands behind a failed command of the same group wait for it. Commands of other groups go on.
    """
    again: list[Record] = []
    waiting: set[str] = set()
    for record in records:
        group = record["attributes"]["MessageGroupId"] if _is_fifo(record) else ""
        if group in waiting or not _is_done(record, seconds):
            again.append(record)
            waiting |= {group} if group else set()
    _deliver_soon(again)
    return [record["messageId"] for record in again]


def _is_fifo(record: Record) -> bool:
    return str(record["eventSourceARN"]).endswith(".fifo")


def _deliver_soon(records: list[Record]) -> None:
    """Shorten the wait until these records are delivered again, which is the queue's visibility timeout otherwise.

    The first waits are seconds, later ones minutes.
    """
    if not records:
        return
    entries = [
        {
            "Id": str(index),
            "ReceiptHandle": record["receiptHandle"],
            "VisibilityTimeout": min(2 ** int(record["attributes"]["ApproximateReceiveCount"]), _LONGEST_PAUSE_SECONDS),
        }
        for index, record in enumerate(records)
    ]
    queue = os.environ["FIFO_COMMANDS_URL" if _is_fifo(records[0]) else "COMMANDS_URL"]
    # If this fails, the records only come later.
    with suppress(BotoCoreError, ClientError):
        clients.sqs().change_message_visibility_batch(QueueUrl=queue, Entries=entries)


def _is_done(record: Record, seconds: float) -> bool:
    """Run a command and return whether it is done.

    A command that can never succeed is done when the dead-letter queue has it.
    """
    log_fields = {"queue_message": record["messageId"]}
    try:
        table.set_deadline(seconds)
        refusal = _refusal(record["body"])
        if refusal:
            _reject(record, refusal)
            log_fields |= {"status": refusal.status, "code": refusal.code}
    except Exception as error:  # noqa: BLE001 - whatever it is, the command must not be lost
        # The line omits the exception itself, whose text could contain content.
        logger.error("command", extra=log_fields | {"cause": error_mapping.cause(error)})
        return False
    logger.info("command", extra=log_fields)
    return True


def _refusal(text: str) -> WireError | None:
    """Run a command. Return the error if it can never succeed. Raises errors after which a retry may succeed."""
    thread_id = ""
    try:
        command = commands.parse(text)
        thread_id = str(command.get("thread_id"))
        commands.create_message(command)
    except Exception as error:
        refusal = error_mapping.wire_error(error, thread_id)
        if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return refusal
    return None


def _reject(record: Record, refusal: WireError) -> None:
    """Send a command to the dead-letter queue, with the API's error as an attribute if there is room for it."""
    text, error = record["body"], json.dumps(refusal.body)
    message: dict[str, Any] = {"QueueUrl": os.environ["REJECTED_COMMANDS_URL"], "MessageBody": text}
    if len(text.encode()) + len(error) + len("errorString") <= _MAX_BYTES:
        message["MessageAttributes"] = {"error": {"DataType": "String", "StringValue": error}}
    if _is_fifo(record):
        message["QueueUrl"] = os.environ["REJECTED_FIFO_COMMANDS_URL"]
        message["MessageGroupId"] = record["attributes"]["MessageGroupId"]
        message["MessageDeduplicationId"] = record["messageId"]
    clients.sqs().send_message(**message)
