"""The walk over a whole table: checks each partition, and reads it again if it has problems."""

import time
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import boto3

from shared.settings import settings
from shared.store import keys, table
from shared.store.table import CancelledError
from tools.repair import assistant_rules, list_rules, thread_rules
from tools.repair.problem import Item, Problem, is_later

# The attributes that the rules read, without content and metadata.
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
# While a transaction is committed, a read may see only a part of it. After this pause, a read sees all of it.
_PAUSE_SECONDS = 1.0
_WRITES_IN_ONE = 90
_SECONDS_FOR_A_PARTITION = 600.0

Progress = Callable[[int], None]


def problems(progress: Progress, pause: float = _PAUSE_SECONDS) -> Iterator[Problem]:
    """Yield the problems of the table. `progress` receives the number of items that were read."""
    for partition, items in groupby(_scan(progress), key=lambda item: str(item["threadId"]["S"])):
        table.set_deadline(_SECONDS_FOR_A_PARTITION)
        if any(_check(partition, list(items))):
            time.sleep(pause)
            yield from read_again(partition)


def read_again(partition: str) -> list[Problem]:
    """Read a partition; return its problems."""
    table.set_deadline(_SECONDS_FOR_A_PARTITION)
    return [*_check(partition, [*table.query(partition, "!", "~", **_PROJECTION)])]


def repair(problem: Problem) -> bool:
    """Repair a problem; return False if the items have changed since they were read."""
    table.set_deadline(_SECONDS_FOR_A_PARTITION)
    try:
        for start in range(0, len(problem.writes), _WRITES_IN_ONE):
            table.transact([*problem.writes[start : start + _WRITES_IN_ONE]])
    except CancelledError:
        return False
    return True


def _check(partition: str, items: list[Item]) -> Iterator[Problem]:
    owner, _, name = partition.partition("#")
    if is_later(items):
        yield Problem(partition, "was written by a later version: repair it with that version")
    elif name.startswith(keys.THREAD_PREFIX):
        stored = {str(item["messageId"]["S"]): item for item in items}
        yield from thread_rules.problems(partition, stored, _listed(partition, stored))
    elif name == "assistants":
        yield from assistant_rules.problems(partition, items)
    elif name.startswith("threads"):
        yield from list_rules.problems_of_threads(partition, items)
    elif partition == keys.API_KEYS:
        yield from list_rules.problems_of_keys(items)
    elif owner == "key" and name != "once":
        yield from (problem for item in items for problem in list_rules.problems_of_key(partition, item))


def _listed(partition: str, stored: thread_rules.Items) -> thread_rules.Listed:
    """Return the keys of the thread's entries that exist in its lists."""
    entries = thread_rules.entries(stored)
    ulid = thread_rules.ulid_of(partition, stored) if entries else ""
    return {*table.batch_get([keys.key(entry, ulid) for entry in entries])}


def _scan(progress: Progress) -> Iterator[Item]:
    """Yield all items; those of one partition come one after the other."""
    # Not the client of the functions, because its calls end after seconds.
    client: Any = boto3.client("dynamodb")
    for page in client.get_paginator("scan").paginate(TableName=settings().table_name, **_PROJECTION):
        progress(len(page["Items"]))
        yield from page["Items"]
