"""The walk over a whole table: each partition is checked, and what is wrong there is read again before it is told."""

import os
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import boto3

from shared.store import keys, table
from shared.store.table import CancelledError
from tools.repair import assistant_rules, list_rules, thread_rules
from tools.repair.faults import Fault, Item

# What the rules look at; contents and metadata stay where they are.
_ATTRIBUTES = (
    *("threadId", "messageId", "v", "version", "state", "activeAt", "entries", "ulid", "id", "parts", "runId"),
    *("project", "thread", "erasure", "import", "importer", "lastUlid", "lastRun", "runUntil"),
    *("status", "steps", "waitsFor", "expiresAt", "message", "completedAt", "assistant"),
    *(f"r{number}" for number in range(1, 17)),
)
_PROJECTION = {
    "ProjectionExpression": ", ".join(f"#{name}" for name in _ATTRIBUTES),
    "ExpressionAttributeNames": {f"#{name}": name for name in _ATTRIBUTES},
}
# A transaction that was being committed while it was read is seen whole after this.
_PAUSE_SECONDS = 1.0
_WRITES_IN_ONE = 90
_SECONDS_FOR_A_PARTITION = 600.0

Progress = Callable[[int], None]


def faults(progress: Progress, pause: float = _PAUSE_SECONDS) -> Iterator[Fault]:
    """Yield what is wrong in the table; `progress` is told the items that were read."""
    for partition, found in groupby(_scan(progress), key=lambda item: str(item["threadId"]["S"])):
        table.set_deadline(_SECONDS_FOR_A_PARTITION)
        if any(_check(partition, list(found))):
            time.sleep(pause)
            yield from _check(partition, list(table.query(partition, "!", "~", **_PROJECTION)))


def mend(fault: Fault) -> bool:
    """Do what mends a fault; return False when something has changed since it was found."""
    table.set_deadline(_SECONDS_FOR_A_PARTITION)
    try:
        for start in range(0, len(fault.writes), _WRITES_IN_ONE):
            table.transact([*fault.writes[start : start + _WRITES_IN_ONE]])
    except CancelledError:
        return False
    return True


def _check(partition: str, found: list[Item]) -> Iterator[Fault]:
    owner, _, name = partition.partition("#")
    if name.startswith(keys.THREAD_PREFIX):
        stored = {str(item["messageId"]["S"]): item for item in found}
        yield from thread_rules.faults(partition, stored, _listed(partition, stored))
    elif name == "assistants":
        yield from assistant_rules.faults(partition, found)
    elif name.startswith("threads"):
        yield from list_rules.faults_of_threads(partition, found)
    elif partition == keys.API_KEYS:
        yield from list_rules.faults_of_keys(found)
    elif owner == "key" and name != "once":
        yield from (fault for item in found for fault in list_rules.faults_of_key(partition, item))


def _listed(partition: str, stored: thread_rules.Items) -> thread_rules.Listed:
    """Return which of the entries that a thread wants are there."""
    wanted = thread_rules.entries(stored)
    ulid = thread_rules.ulid_of(partition, stored) if wanted else ""
    return {*table.batch_get([keys.key(entry, ulid) for entry in wanted])}


def _scan(progress: Progress) -> Iterator[Item]:
    """Yield all items; those of one partition come one after the other."""
    client: Any = boto3.client("dynamodb")
    pages = client.get_paginator("scan").paginate(TableName=os.environ["TABLE_NAME"], **_PROJECTION)
    for page in pages:
        progress(len(page["Items"]))
        yield from page["Items"]
