"""The cost of operations in DynamoDB's units, in dollars for a million, and in the bill of a month (docs/cost.md).

A read unit is a read of 4 KB, a write unit a write of 1 KB. In a transaction each counts twice. The figures omit the
look-up of the API key: one read unit for each key and function instance, once a minute.
"""

import math
import random
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

from benchmarks import figures
from benchmarks.figures import Report, Row
from shared.records import MessageData
from tests.support.capacity import Call, recorded, units
from tests.support.client import Client
from tests.support.expected import compact, text
from tools.local import template

# List prices of us-east-1, 2026-11, in dollars for a million: on-demand DynamoDB (standard table class, since
# 2024-11), Lambda on arm64, requests of an HTTP API (first 300 million a month; each 512 KB of a request count as one),
# events of EventBridge, traces of X-Ray.
WRITE_UNITS, READ_UNITS = 0.625, 0.125
INVOCATIONS, GB_SECOND = 0.20, 0.0000133334 * 1e6
REQUESTS, METERED_BYTES = 1.00, 512 * 1024
EVENTS, TRACES = 1.00, 5.00
RECEIVES, FIFO_RECEIVES = 0.40, 0.50
# First line: for a GB and month. Second line: for a GB. Third line: for one of them and a month.
STORED_GB, BACKUP_GB = 0.25, 0.20
LOGGED_GB, SENT_GB = 0.50, 0.09
ALARM, METRIC, DASHBOARD = 0.10, 0.30, 3.00

# The time of a DynamoDB call from Lambda in the same region, and of our own code with 512 MB, rounded up.
CALL_MILLISECONDS, OWN_MILLISECONDS = 6, 5
# The time of PublishEvents for each change. When changes are rare, each invocation has one change.
PUBLISH_MILLISECONDS = 40

# Lambda polls an empty queue with five connections. Each receive waits for 20 seconds.
EMPTY_RECEIVES = 5 * 3 * 60 * 24 * 30

# Messages created in a month.
MONTHS = {"a team's tool": 1e5, "a product": 3e6, "a large product": 1e8}
MONTHS_KEPT = 12
KEPT = f"DynamoDB, what {MONTHS_KEPT} months leave, and its backups"
SIZE = 1_000
OPERATIONS = {"create": 1.0, "create thread": 0.1, "list 20": 0.5, "retrieve": 0.1, "modify": 0.05, "delete": 0.01}
CHANGES = ("create", "create thread", "modify", "delete")
# Bytes of a request's log: one line of the function, Lambda's own three lines, one line of the access log.
LOGGED_BYTES = 1_300
# Lambda traces one request a second, and one in twenty of the other requests.
TRACED = 0.05
LOG_OF_A_REQUEST = LOGGED_BYTES / 1000 * LOGGED_GB + TRACED * TRACES
ITEM_OVERHEAD_BYTES = 100  # DynamoDB adds it to each stored item

SIZES = (200, 1_000, 4_000, 32_000, 256_000)
HEADS = [f"{size / 1000:g} KB" for size in SIZES]
_TEMPLATE = template.load()
_WORDS = """
    the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one
    you were all her she there would their we him been has when who will no more if out so up said what its about than
    into them can only other time new some could these two may first then do any like my now over such our man me even
    most made after also did many off before must well back through years where much your way down should because long
    each just state those people too how little good world make very year still see work life between under last never
"""


def prose(length: int) -> str:
    """Return common words at random. Deflate compresses them to about 40 %, as it does prose."""
    return " ".join(random.Random(length).choices(_WORDS.split(), k=length // 3))[:length]


def noise(length: int) -> str:
    """Return printable characters at random. Deflate can hardly compress them."""
    return "".join(random.Random(length).choices(string.ascii_letters + string.digits + string.punctuation, k=length))


def costs(client: Client, content: str) -> dict[str, list[Call]]:
    """Return the calls of each operation in a thread of messages with this content."""
    calls: dict[str, list[Call]] = {}

    def record(name: str, work: Callable[..., object], *arguments: Any, **options: Any) -> None:
        with recorded() as calls[name]:
            work(*arguments, **options)

    thread_id = client.thread()
    ids = [client.message(thread_id, content)["id"] for _ in range(20)]
    body, once = {"role": "user", "content": content}, {"idempotency-key": "key"}
    record("create thread", client.thread)
    record("create thread with this message", client.thread, messages=[body])
    record("create", client.message, thread_id, content)
    record("create with an Idempotency-Key", client.create, "create_message", thread_id, body=body, headers=once)
    record("retrieve", client.create, "retrieve_message", thread_id, ids[0])
    with unhurried():
        record("list 20", client.page, thread_id, limit=20)
    record("modify", client.create, "modify_message", thread_id, ids[0], body={"metadata": {"a": "b"}})
    record("edit", client.create, "modify_message", thread_id, ids[0], body={"content": content})
    record("delete", client.create, "delete_message", thread_id, ids[1])
    record("delete thread", client.create, "delete_thread", thread_id)
    record("erase the thread, for each of its 21 messages", _erase, client, thread_id)
    return calls


def _erase(client: Client, thread_id: str) -> None:
    from shared.store import erasure, keys, table

    table.set_deadline(60)
    erasure.erase_thread(keys.thread_partition(client.project, thread_id), float("inf"))


@contextmanager
def unhurried() -> Iterator[None]:
    """Let a list wait for its head. On a busy machine the head arrives late, and the list makes its Query twice.

    In a region this does not happen.
    """
    from shared.store import pages

    with mock.patch.object(pages, "_TOGETHER_SECONDS", float("inf")):
        yield


def run() -> Report:
    """Return the units of each operation for messages of several sizes, for each kind of text."""
    tables = []
    for kind in (prose, noise):
        columns = [costs(Client(), kind(size)) for size in SIZES]
        rows = []
        for name, calls in columns[0].items():
            parts = 21 if name.startswith("erase") else 1
            rows.append([name, len(calls) if parts == 1 else "", *(units_of(made[name], parts) for made in columns)])
        tables.append(figures.table([kind.__name__, "calls", *HEADS], rows))
    return Report(text="\n\n".join(tables))


def dollars() -> Report:
    """Return the dollars for a million calls of each operation, for messages of prose in several sizes."""
    columns = [costs(Client(), prose(size)) for size in SIZES]
    rows: list[list[str]] = []
    for name in ("create", "retrieve", "list 20", "modify", "delete", "create thread"):
        cells = [request_dollars(name, found[name], size) for size, found in zip(SIZES, columns, strict=True)]
        rows.append([name, *(f"{sum(parts):.2f}" for parts in cells), " + ".join(f"{part:.2f}" for part in cells[1])])
    text = figures.table(["dollars for a million", *HEADS, "at 1 KB: DynamoDB + Lambda + API"], rows)
    what = "A million of {}, messages of 1 KB, with Lambda and the API"
    return Report([Row(what.format(row[0]), f"{row[2]} USD") for row in rows[:3]], text)


def bill() -> Report:
    """Return the bill of a month for three sizes."""
    measured = costs(Client(), prose(SIZE))
    bills = {f"{name}: {messages:,.0f} messages": _bill(messages, measured) for name, messages in MONTHS.items()}
    millions = [messages / 1e6 for messages in MONTHS.values()]
    each = [shown(sum(parts.values()) / million) for parts, million in zip(bills.values(), millions, strict=True)]
    return Report(text=bill_table(bills, ["a million messages", *each]))


def bill_table(bills: Mapping[str, Mapping[str, float]], *further: list[str]) -> str:
    """Return bills of a month as a Markdown table: one row for each thing that is paid for, then the sums.

    `further` has the rows after the sums.
    """
    rows = [[part, *(shown(bill[part]) for bill in bills.values())] for part in next(iter(bills.values()))]
    rows.append(["**a month**", *(f"**{shown(sum(bill.values()))}**" for bill in bills.values())])
    return figures.table(["USD", *bills], [*rows, *further])


def units_of(calls: list[Call], parts: int) -> str:
    shown = [(used / parts, name) for used, name in zip(units(calls), "RW", strict=True) if used]
    return " + ".join(f"{used:,.0f} {name}" if used >= 10 else f"{used:.2g} {name}" for used, name in shown)


def request_dollars(name: str, calls: list[Call], size: int) -> tuple[float, float, float]:
    """Return the dollars for a million calls of an operation: DynamoDB, Lambda, HTTP API."""
    reads, writes = units(calls)
    answered = size * 20 if name == "list 20" else size
    seconds = (CALL_MILLISECONDS * len(calls) + OWN_MILLISECONDS) / 1000
    stored = reads * READ_UNITS + writes * WRITE_UNITS
    return stored, lambda_dollars(seconds), REQUESTS * math.ceil(answered / METERED_BYTES)


def lambda_dollars(seconds: float) -> float:
    return INVOCATIONS + seconds * _TEMPLATE.functions[0].memory / 1024 * GB_SECOND


def _bill(messages: float, measured: dict[str, list[Call]]) -> dict[str, float]:
    """Return the dollars of a month with this number of messages, for each thing that is paid for."""
    parts = {name: request_dollars(name, measured[name], SIZE) for name in OPERATIONS}
    millions = {name: messages * times / 1e6 for name, times in OPERATIONS.items()}
    table, functions, api = (sum(parts[name][place] * millions[name] for name in OPERATIONS) for place in range(3))
    requests, changes = sum(millions.values()), sum(millions[name] for name in CHANGES)
    stored = messages * MONTHS_KEPT * _stored_bytes() / 1e9
    read = messages * (OPERATIONS["list 20"] * 20 + OPERATIONS["create"] + OPERATIONS["retrieve"]) * (SIZE + 400) / 1e9
    return {
        "HTTP API": api,
        "Lambda, requests": functions,
        "DynamoDB, requests": table,
        KEPT: stored * (STORED_GB + BACKUP_GB),
        "events: PublishEvents and EventBridge": changes * event_dollars(),
        "logs and traces": requests * LOG_OF_A_REQUEST,
        "queues, empty receives": _polling(),
        "dashboard, alarms, metrics": DASHBOARD + alarms() * ALARM + 3 * METRIC,
        "data sent to clients": read * SENT_GB,
    }


def _stored_bytes() -> float:
    """Return the bytes that a message and its share of its thread take in the table."""
    from shared import ids
    from shared.store import head, items, keys
    from shared.store.threads import entry_of

    ulid = ids.new_ulid()
    data = MessageData("user", compact([text(prose(SIZE))]))
    partition = keys.thread_partition("default", keys.THREAD_PREFIX + ulid)
    message = items.message_items(partition, keys.MESSAGE_PREFIX + ulid, data, items.pack(data.content))
    entry = entry_of(keys.threads_partition("default", ulid, 1), ulid, keys.THREAD_PREFIX + ulid)["Put"]["Item"]
    of_thread = [head.item(partition, head.OPEN, [ulid] * head.RECENT), entry, entry, entry]

    def weight(stored: list[dict[str, dict[str, object]]]) -> float:
        return sum(items.weight(item) + ITEM_OVERHEAD_BYTES for item in stored)

    return weight(message) + OPERATIONS["create thread"] * weight(of_thread)


def idle() -> float:
    """Return the dollars for a month of a stack that nobody uses."""
    return DASHBOARD + alarms() * ALARM + _polling()


def _polling() -> float:
    """Return the dollars for a month of empty receives. Lambda polls each queue of a function, even an unused one."""
    queues = [queue for function in _TEMPLATE.functions for queue in function.queues]
    million = EMPTY_RECEIVES / 1e6
    return sum((FIFO_RECEIVES if queue.name.endswith(".fifo") else RECEIVES) * million for queue in queues)


def alarms(condition: str | None = None) -> int:
    """Return how many alarms of the template have this condition. None counts the alarms that every stack has."""
    resources = template.read()["Resources"].values()
    return sum(found["Type"] == "AWS::CloudWatch::Alarm" and found.get("Condition") == condition for found in resources)


def event_dollars() -> float:
    """Return the dollars for a million published changes."""
    return lambda_dollars(PUBLISH_MILLISECONDS / 1000) + EVENTS


def shown(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2f}"
