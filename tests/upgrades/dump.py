"""A table as a released version left it, and what that version answered from it: written to a file, read back."""

import base64
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import expected, stream
from tests.support.client import Answer, Client

TABLES = Path(__file__).parent / "tables"
VERSIONS = sorted(path.stem for path in TABLES.glob("*.json"))

Item = dict[str, Any]
# A call (`key`, `function`, `ids`, `options`) and what it was answered (`status`, `replayed`, `answer`).
Step = dict[str, Any]


class Dump(NamedTuple):
    """`written` is when the items were read, in seconds since 1970.

    `reads` change nothing; `writes` were made in this order, afterwards. `erasures` and `commands` are messages that
    stood in the queues. `events` are what was told of each item: detail type and detail.
    """

    written: int
    items: list[Item]
    reads: list[Step]
    writes: list[Step]
    erasures: list[str]
    commands: list[str]
    events: list[tuple[str, Any]]

    def partitions(self, state: str) -> list[str]:
        """Return the partitions of the threads whose heads are in a state."""
        return [item["threadId"]["S"] for item in self.items if item.get("state") == {"S": state}]


def read(version: str) -> Dump:
    """Return what a version left."""
    found = json.loads((TABLES / f"{version}.json").read_text(encoding="utf-8"))
    found["events"] = [(kind, detail) for kind, detail in found["events"]]
    return Dump(**found)


def write(version: str, dump: Dump) -> None:
    """Write what this version leaves, an entry a line."""
    fields = [f'"{name}": {_lines(value)}' for name, value in dump._asdict().items()]
    text = "{\n" + ",\n".join(fields) + "\n}\n"
    (TABLES / f"{version}.json").write_text(text, encoding="utf-8")


def put(items: list[Item]) -> None:
    """Put items into the table of the process."""
    from shared.store import table

    table.set_deadline(60)
    table.batch_put([_binary(item) for item in items])


def images(items: list[Item]) -> stream.Images:
    """Return the items by partition and sort key, as `stream.images` returns those of a table."""
    return {(item["threadId"]["S"], item["messageId"]["S"]): item for item in items}


def told(items: list[Item]) -> list[tuple[str, Any]]:
    """Return the events that new items tell: those for which the template has a filter let the record through."""
    from shared import events
    from shared.store import table
    from tools.local import filters

    table.set_deadline(60)
    wanted = stream.patterns("PublishEvents")
    records = (stream.record(number, None, item) for number, item in enumerate(items, start=1))
    found = [event for record in records if filters.passes(wanted, record) for event in events.of_record(record)]
    return [(event.kind, json.loads(event.detail)) for event in found]


def name(item: Item) -> str:
    """Return a message's id, or the sort key of another item."""
    return str(item["id" if "id" in item else "messageId"]["S"])


def ask(step: Step) -> Answer:
    """Make a step's call."""
    return Client(project="", secret=step["key"]).call(step["function"], *step["ids"], **step["options"])


def outcome(answer: Answer) -> dict[str, Any]:
    """Return what a step keeps of an answer."""
    replayed = answer.headers.get("idempotent-replayed") == "true"
    return {"status": answer.status, "replayed": replayed, "answer": answer.body}


def indexed_key() -> str:
    return os.environ["INDEXED_METADATA_KEY"]


def _lines(value: Any) -> str:
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n" + ",\n".join(expected.compact(entry) for entry in value) + "\n]"


def _binary(value: Any) -> Any:
    """Return a value with its binary attributes as bytes, as a client takes them."""
    if isinstance(value, dict):
        return {
            name: base64.b64decode(inner) if name == "B" and isinstance(inner, str) else _binary(inner)
            for name, inner in value.items()
        }
    return [_binary(inner) for inner in value] if isinstance(value, list) else value
