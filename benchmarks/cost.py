"""What each operation costs in DynamoDB's read and write units, for messages of several sizes, as a table.

    python -m benchmarks.cost

Starts a DynamoDB Local of its own. A read unit is a read of 4 KB, a write unit a write of 1 KB; in a transaction each
counts twice. The look-up of the API key, once a minute and function instance, is not in it: half a read unit.
"""

import random
import string
import sys
from collections.abc import Callable, Iterator

from benchmarks.figures import Report
from tests.support.capacity import Call, recorded
from tests.support.client import Client
from tools.local import template
from tools.local.dynamodb import database, engine

SIZES = (200, 1_000, 4_000, 32_000, 256_000)
_WORDS = """
    the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one
    you were all her she there would their we him been has when who will no more if out so up said what its about than
    into them can only other time new some could these two may first then do any like my now over such our man me even
    most made after also did many off before must well back through years where much your way down should because long
    each just state those people too how little good world make very year still see work life between under last never
"""


def prose(length: int) -> str:
    """Return common words at random, which deflate takes to about 40 %, as it does prose."""
    return " ".join(random.Random(length).choices(_WORDS.split(), k=length // 3))[:length]


def noise(length: int) -> str:
    """Return printable characters at random, which deflate can hardly shrink."""
    return "".join(random.Random(length).choices(string.ascii_letters + string.digits + string.punctuation, k=length))


def costs(client: Client, text: str) -> Iterator[tuple[str, list[Call]]]:
    """Yield the name of each operation and the calls it made, in a thread of messages with this text."""

    def record(work: Callable[[], object]) -> list[Call]:
        with recorded() as calls:
            work()
        return calls

    thread_id = client.thread()
    ids = [client.message(thread_id, text)["id"] for _ in range(20)]
    yield "create thread", record(client.thread)
    yield "create thread with this message", record(lambda: client.thread(messages=[{"role": "user", "content": text}]))
    yield "create", record(lambda: client.message(thread_id, text))
    body = {"role": "user", "content": text}
    once = {"idempotency-key": "key"}
    made = record(lambda: client.create("create_message", thread_id, body=body, headers=once))
    yield "create with an Idempotency-Key", made
    yield "retrieve", record(lambda: client.create("retrieve_message", thread_id, ids[0]))
    # A list asks twice when its reads come late, as they may on a busy machine: the least of three is the rule.
    yield "list 20", min((record(lambda: client.page(thread_id, limit=20)) for _ in range(3)), key=len)
    yield "modify", record(lambda: client.create("modify_message", thread_id, ids[0], body={"metadata": {"a": "b"}}))
    yield "edit", record(lambda: client.create("modify_message", thread_id, ids[0], body={"content": text}))
    yield "delete", record(lambda: client.create("delete_message", thread_id, ids[1]))
    yield "delete thread", record(lambda: client.create("delete_thread", thread_id))
    yield "erase the thread, for each of its 21 messages", record(lambda: _erase(client, thread_id))


def _erase(client: Client, thread_id: str) -> None:
    from shared.store import erasure, keys, table

    table.set_deadline(60)
    erasure.erase_thread(keys.thread_partition(client.project, thread_id), float("inf"))


def table_of(kind: Callable[[int], str]) -> str:
    """Return the costs of messages of one kind of text, as markdown: `read + write` units and calls."""
    columns = [list(costs(Client(), kind(size))) for size in SIZES]
    heads = " | ".join(f"{size / 1000:g} KB" for size in SIZES)
    lines = [f"| {kind.__name__} | calls | {heads} |", "|---" * (len(SIZES) + 2) + "|"]
    for row in zip(*columns, strict=True):
        name, calls = row[0]
        parts = 21 if name.startswith("erase") else 1
        cells = " | ".join(_cell(made, parts) for _, made in row)
        lines.append(f"| {name} | {len(calls) if parts == 1 else ''} | {cells} |")
    return "\n".join(lines)


def _cell(calls: list[Call], parts: int) -> str:
    reads, writes = sum(call.read_units for call in calls), sum(call.write_units for call in calls)
    shown = [f"{_short(units / parts)} {name}" for units, name in ((reads, "R"), (writes, "W")) if units]
    return " + ".join(shown)


def _short(units: float) -> str:
    return f"{units:,.0f}" if units >= 10 else f"{units:.2g}"


def run() -> Report:
    """Return the table for each kind of text."""
    with engine.running() as url, database.at_url(template.load(), url):
        return Report("\n\n".join(table_of(kind) for kind in (prose, noise)))


if __name__ == "__main__":
    sys.stdout.write(f"{run().text}\n")
