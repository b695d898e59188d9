"""Writes and reads dumps: the table that a released version left, and that version's responses from it."""

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import expected, stream
from tests.support.client import OPERATIONS, Answer, Client
from tests.support.runs import Runs

TABLES = Path(__file__).parent / "tables"
VERSIONS = sorted(path.stem for path in TABLES.glob("*.json"))

Item = dict[str, Any]
# A call (`key`, `function`, `ids`, `options`) and its response (`status`, `replayed`, `answer`).
Step = dict[str, Any]


class Dump(NamedTuple):
    """`written` is the time at which the items were read, in seconds since 1970.

    `reads` change nothing. `writes` were made after them, in this order. `erasures` and `commands` are messages of the
    queues. `events` are the published events of each item: detail type and detail.
    """

    written: int
    items: list[Item]
    reads: list[Step]
    writes: list[Step]
    erasures: list[str]
    commands: list[str]
    events: list[list[Any]]

    def partitions(self, state: str) -> list[str]:
        """Return the partitions of the threads whose heads are in a state."""
        return [item["threadId"]["S"] for item in self.items if item.get("state") == {"S": state}]


def read(version: str) -> Dump:
    """Read a version's dump from its file."""
    return Dump(**json.loads((TABLES / f"{version}.json").read_text(encoding="utf-8")))


def write(version: str, dump: Dump) -> None:
    """Write this version's dump to its file, one entry on each line."""
    fields = []
    for field, value in dump._asdict().items():
        entries = [value] if isinstance(value, int) else value
        lines = ",\n".join(map(expected.compact, entries))
        fields.append(f'"{field}": {lines}' if isinstance(value, int) else f'"{field}": [\n{lines}\n]')
    (TABLES / f"{version}.json").write_text("{\n" + ",\n".join(fields) + "\n}\n", encoding="utf-8")


def put(items: list[Item]) -> None:
    """Put items into the table of the process."""
    from shared.store import table

    table.set_deadline(60)
    table.batch_put([_with_bytes(item) for item in items])


def published(items: list[Item]) -> list[list[Any]]:
    """Return the events of new items: those whose record a filter of the template lets through."""
    from shared import events
    from shared.store import table
    from tools.local import filters

    table.set_deadline(60)
    wanted = stream.patterns("PublishEvents")
    records = (stream.record(number, None, item) for number, item in enumerate(items, start=1))
    found = [event for record in records if filters.passes(wanted, record) for event in events.of_record(record)]
    return [[event.kind, json.loads(event.detail)] for event in found]


def name(item: Item) -> str:
    """Return a message's id, or the sort key of another item."""
    return str(item["id" if "id" in item else "messageId"]["S"])


def ask(step: Step) -> Answer:
    """Make a step's call."""
    client = Client(project="", secret=step["key"])
    call = client.call if step["function"] in OPERATIONS else Runs(client).call
    return call(step["function"], *step["ids"], **step["options"])


def outcome(answer: Answer) -> Step:
    """Return the parts of a response that a step records."""
    replayed = answer.headers.get("idempotent-replayed") == "true"
    return {"status": answer.status, "replayed": replayed, "answer": answer.body}


def check(step: Step) -> None:
    """Make a step's call, and compare the response with the recorded one.

    A success must be the same byte for byte. An error may have another text.
    """
    assert _without_text(step | outcome(ask(step))) == _without_text(step)


def _without_text(step: Step) -> tuple[Step, str]:
    error = step["answer"].get("error", {})
    body = {name: error[name] for name in ("type", "param", "code")} if error else step["answer"]
    return step | {"answer": body}, expected.compact(body)


def _with_bytes(value: Any) -> Any:
    """Return a value with its binary attributes as bytes, as a client takes them."""
    if isinstance(value, dict):
        is_binary = isinstance(value.get("B"), str)
        return {key: base64.b64decode(inner) if is_binary else _with_bytes(inner) for key, inner in value.items()}
    return [_with_bytes(inner) for inner in value] if isinstance(value, list) else value
