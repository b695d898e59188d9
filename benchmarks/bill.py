"""The bill of a month for three sizes, at list price, as docs/cost.md has it.

    python -m benchmarks.bill

Starts a DynamoDB Local of its own, by which units are measured, and writes the table into the document.
"""

import sys
from typing import NamedTuple
from unittest import mock

from benchmarks import dollars, figures
from benchmarks.artifacts import ROOT
from benchmarks.cost import costs, prose
from shared.records import MessageData
from tests.support.capacity import Call
from tests.support.client import Client
from tools.local import template
from tools.local.dynamodb import database, engine

DOCUMENT = ROOT / "docs" / "cost.md"
BEGIN, END = "<!-- bill -->\n", "<!-- end of bill -->\n"

# List prices of us-east-1, 2026-11, in dollars: for a GB and month, for a GB, for a million, for a piece and month.
STORED_GB, BACKUP_GB = 0.25, 0.20
LOGGED_GB, SENT_GB = 0.50, 0.09
EVENTS, TRACES = 1.00, 5.00
RECEIVES, FIFO_RECEIVES = 0.40, 0.50
ALARM, METRIC, DASHBOARD = 0.10, 0.30, 3.00

# What a month looks like, for each message that is created in it.
MONTHS_KEPT = 12
SIZE = 1_000
OPERATIONS = {"create": 1.0, "create thread": 0.1, "list 20": 0.5, "retrieve": 0.1, "modify": 0.05, "delete": 0.01}
CHANGES = ("create", "create thread", "modify", "delete")
# A line of the function, Lambda's own three, a line of the access log; in bytes.
LOGGED_BYTES = 1_300
# What Lambda traces: a request a second, and one in twenty of the others.
TRACED = 0.05
# PublishEvents, for each change: when there are few, a call has one of them.
PUBLISH_MILLISECONDS = 40
# Lambda polls a queue that is empty with five connections; each waits for 20 seconds.
EMPTY_RECEIVES = 5 * 3 * 60 * 24 * 30
ITEM_OVERHEAD_BYTES = 100  # DynamoDB adds it to each stored item


class Month(NamedTuple):
    """One of the sizes: what it is called, and how many messages are created in a month."""

    name: str
    messages: float


MONTHS = (Month("a team's tool", 1e5), Month("a product", 3e6), Month("a large product", 1e8))


def table() -> str:
    """Return the bills as Markdown; the table must be there and empty."""
    from shared.store import pages

    # On a busy machine the head comes late and a list asks twice; in a region it does not.
    with mock.patch.object(pages, "_TOGETHER_SECONDS", float("inf")):
        measured = dict(costs(Client(), prose(SIZE)))
    memory = template.load().functions[0].memory
    columns = [_bill(month.messages, measured, memory) for month in MONTHS]
    rows = [[name, *(_shown(column[name]) for column in columns)] for name in columns[0]]
    rows.append(["**a month**", *(f"**{_shown(sum(column.values()))}**" for column in columns)])
    rows.append(
        [
            "a million messages",
            *(_shown(sum(c.values()) / m.messages * 1e6) for c, m in zip(columns, MONTHS, strict=True)),
        ]
    )
    return figures.table(["USD", *(f"{month.name}: {month.messages:,.0f} messages" for month in MONTHS)], rows)


def _bill(messages: float, measured: dict[str, list[Call]], memory: int) -> dict[str, float]:
    """Return the dollars of a month with so many messages, by what they are paid for."""
    parts = {name: dollars.get_chunks(name, measured[name], SIZE, memory) for name in OPERATIONS}
    millions = {name: messages * times / 1e6 for name, times in OPERATIONS.items()}
    units, functions, api = (sum(parts[name][place] * millions[name] for name in OPERATIONS) for place in range(3))
    requests, changes = sum(millions.values()), sum(millions[name] for name in CHANGES)
    publishing = dollars.INVOCATIONS + PUBLISH_MILLISECONDS / 1000 * memory / 1024 * dollars.GB_SECOND
    stored = messages * MONTHS_KEPT * _stored_bytes() / 1e9
    read = messages * (OPERATIONS["list 20"] * 20 + OPERATIONS["create"] + OPERATIONS["retrieve"]) * (SIZE + 400) / 1e9
    return {
        "HTTP API": api,
        "Lambda, requests": functions,
        "DynamoDB, requests": units,
        f"DynamoDB, what {MONTHS_KEPT} months leave, and its backups": stored * (STORED_GB + BACKUP_GB),
        "events: PublishEvents and EventBridge": changes * (publishing + EVENTS),
        "logs and traces": requests * (LOGGED_BYTES / 1000 * LOGGED_GB + TRACED * TRACES),
        "queues, empty receives": _polling(),
        "dashboard, alarms, metrics": DASHBOARD + _always_there("AWS::CloudWatch::Alarm") * ALARM + 2 * METRIC,
        "data sent to clients": read * SENT_GB,
    }


def _stored_bytes() -> float:
    """Return what a message and its share of its thread take in the table."""
    from shared import ids
    from shared.store import head, items, keys
    from shared.store.threads import entry_of

    ulid, data = (
        ids.new_ulid(),
        MessageData("user", f'[{{"type":"text","text":{{"value":"{prose(SIZE)}","annotations":[]}}}}]'),
    )
    partition = keys.thread_partition("default", keys.THREAD_PREFIX + ulid)
    message = items.message_items(partition, keys.MESSAGE_PREFIX + ulid, data, items.pack(data.content))
    entry = entry_of(keys.threads_partition("default", ulid, 1), ulid, keys.THREAD_PREFIX + ulid)["Put"]["Item"]
    of_thread = [head.item(partition, head.OPEN, [ulid] * head.RECENT), entry, entry, entry]

    def weight(stored: list[dict[str, dict[str, object]]]) -> float:
        return sum(items.weight(item) + ITEM_OVERHEAD_BYTES for item in stored)

    return weight(message) + OPERATIONS["create thread"] * weight(of_thread)


def _always_there(kind: str) -> int:
    """Return how many such resources a stack has that was deployed without further parameters."""
    resources = template.read()["Resources"].values()
    return sum(resource["Type"] == kind and "Condition" not in resource for resource in resources)


def _polling() -> float:
    """Return what a month of empty receives costs: Lambda polls each queue that a function reads, used or not."""
    resources = template.read()["Resources"]
    functions = [found["Properties"] for found in resources.values() if found["Type"] == "AWS::Serverless::Function"]
    events = [event["Properties"] for found in functions for event in found.get("Events", {}).values()]
    names = [properties["Queue"]["Fn::GetAtt"][0] for properties in events if "Queue" in properties]
    fifo = [resources[name]["Properties"].get("FifoQueue", False) for name in names]
    return sum(FIFO_RECEIVES if is_fifo else RECEIVES for is_fifo in fifo) * EMPTY_RECEIVES / 1e6


def _shown(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2f}"


def main() -> None:
    """Measure, and write the document."""
    with engine.running() as url, database.at_url(template.load(), url):
        found = table()
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{found}\n\n{END}{after}", encoding="utf-8")
    sys.stdout.write(f"{found}\n")


if __name__ == "__main__":
    main()
