"""Runs that waited when an earlier process ended. The queue of runs was in its memory, but the table has the runs."""

import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from shared import run_queue
from shared.run_queue import QueuedRun
from shared.settings import settings
from shared.store import keys, table
from tools.local.lambda_runtime import say


def queue_again(ended: threading.Event) -> None:
    """Queue the runs that are queued in the table and have not expired, the oldest first. Stop when `ended` is set.

    A run that is also queued for another reason is executed once, because only one worker can claim it.
    """
    try:
        found = _waiting(ended)
    except (BotoCoreError, ClientError) as error:
        if not ended.is_set():
            say(f"the runs that wait cannot be read: {type(error).__name__}")
        return
    run_queue.send(sorted(found, key=lambda run: run.run_id))


def _waiting(ended: threading.Event) -> list[QueuedRun]:
    pages = (
        table.client()
        .get_paginator("scan")
        .paginate(
            TableName=settings().table_name,
            ConsistentRead=True,
            ProjectionExpression="threadId, messageId",
            FilterExpression="begins_with(messageId, :run) AND #status = :queued AND expiresAt > :now",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":run": {"S": keys.RUN_PREFIX},
                ":queued": {"S": "queued"},
                ":now": {"N": str(int(time.time()))},
            },
        )
    )
    found: list[QueuedRun] = []
    for page in pages:
        if ended.is_set():
            return []
        found += [QueuedRun(item["threadId"]["S"], item["messageId"]["S"]) for item in page["Items"]]
    return found
