"""The table's stream for tests: records in Lambda's form, and the template's filters of them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from tests.support.memory import MODEL
from tools.local import filters, template

Record = dict[str, Any]
Images = dict[tuple[str, str], dict[str, Any]]


@cache
def patterns(function: str) -> tuple[dict[str, Any], ...]:
    """Return the filter patterns with which a function of the template reads the stream."""
    (found,) = (
        stream for one in template.load(parameters=MODEL).functions if one.name == function for stream in one.streams
    )
    return found.patterns


@contextmanager
def changes(function: str | None = "PublishEvents") -> Iterator[list[Record]]:
    """Yield a list. After the context, it has a record for each changed item that the function's filters let pass.

    Without a function, it has all records.

    moto's table has no stream here, so this compares the table's items before and after.
    """
    records: list[Record] = []
    before = images()
    yield records
    after = images()
    wanted = patterns(function) if function else ({},)
    changed = (key for key in {**after, **before} if before.get(key) != after.get(key))
    for number, key in enumerate(sorted(changed), start=1):
        made = record(number, before.get(key), after.get(key))
        if filters.passes(wanted, made):
            records.append(made)


def record(number: int, old: dict[str, Any] | None, new: dict[str, Any] | None) -> Record:
    """Return a record of the stream, from the old and the new version of an item."""
    images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image}
    names = ("threadId", "messageId")
    return {
        "eventID": f"{number:032x}",
        "eventName": "MODIFY" if old and new else "REMOVE" if old else "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {name: (new or old or {})[name] for name in names},
            "SequenceNumber": f"{number:021}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **images,
        },
    }


def event(records: list[Record]) -> dict[str, Any]:
    """Return the event that Lambda passes to a function, after a round trip through JSON."""
    found: dict[str, Any] = json.loads(json.dumps({"Records": records}))
    return found


def images() -> Images:
    """Return the items of the table by partition and sort key."""
    from shared.store import table

    found: Images = {}
    start: dict[str, Any] = {}
    while True:
        answer = table.client().scan(TableName=os.environ["TABLE_NAME"], ConsistentRead=True, **start)
        found |= {(item["threadId"]["S"], item["messageId"]["S"]): item for item in answer["Items"]}
        if "LastEvaluatedKey" not in answer:
            return found
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
