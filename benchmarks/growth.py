"""Growth: time and units of every operation in threads of 10 to 100,000 messages, on DynamoDB Local."""

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import figures
from benchmarks.figures import TEXT, Report, Row
from tests.support import capacity
from tests.support.client import Client
from tests.support.filled import RUN, fill

SIZES = (10, 100, 1_000, 10_000, 100_000)

# The smallest thread has this many messages on either side of its middle.
_LIMIT = 4
_CREATING = ("create message", "delete message")

Measured = dict[str, dict[int, list[float]]]


def run() -> Report:
    """Measure all operations, the sizes taking turns."""
    times, units = _measure()
    ends = {name: figures.ratio(found[SIZES[-1]], found[SIZES[0]]) for name, found in times.items()}
    what = f"{{}} of an operation, thread of {SIZES[-1]:,} messages to one of {SIZES[0]:,}"
    grown = [name for name, found in units.items() if len({*found}) > 1]
    return Report(
        [
            Row(what.format("Time"), figures.highest(ends), "about 1"),
            Row(what.format("Read and write units"), ", ".join(grown) or "the same", "the same"),
        ]
    )


def _measure() -> tuple[Measured, dict[str, list[tuple[float, float]]]]:
    """Return the milliseconds of each operation by size, and its read and write units at the sizes."""
    operations = {}
    for size in SIZES:
        figures.say(f"  {size:,} messages are written")
        client = Client(trusted=True)
        thread, ids, _ = fill(client, size, TEXT, age_seconds=3_600)
        operations[size] = _operations(client, thread, ids)
    times: Measured = {}
    units: dict[str, list[tuple[float, float]]] = {}
    # A page also looks at what was created in the last seconds; so reads come first, as in a thread at rest.
    for name in sorted(operations[SIZES[0]], key=_CREATING.__contains__):
        times[name] = figures.alternate({size: partial(figures.milliseconds, operations[size][name]) for size in SIZES})
        units[name] = []
        for size in SIZES:
            operations[size][name]()  # which may look up the client's key, once a minute
            with capacity.recorded() as made:
                operations[size][name]()
            units[name].append((sum(call.read_units for call in made), sum(call.write_units for call in made)))
    return times, units


def _operations(client: Client, thread: str, ids: list[str]) -> dict[str, Callable[[], Any]]:
    """Return the operations on a thread; the middle is where `before` and `after` are hardest."""
    middle = ids[len(ids) // 2]
    metadata = {"metadata": {"user_id": "u"}}

    def get(function: str, *path: str, **options: Any) -> Callable[[], Any]:
        return lambda: client.create(function, *path, **options)

    return {
        "retrieve message": get("retrieve_message", thread, middle),
        f"list newest {_LIMIT}": get("list_messages", thread, query={"limit": _LIMIT}),
        f"list {_LIMIT} before the middle": get("list_messages", thread, query={"limit": _LIMIT, "before": middle}),
        f"list {_LIMIT} after the middle": get("list_messages", thread, query={"limit": _LIMIT, "after": middle}),
        "list a run's": get("list_messages", thread, query={"limit": _LIMIT, "run_id": RUN}),
        "modify message": get("modify_message", thread, middle, body=metadata),
        "create message": lambda: client.message(thread, TEXT),
        "delete message": lambda: client.create("delete_message", thread, client.message(thread, TEXT)["id"]),
        "retrieve thread": get("retrieve_thread", thread),
        "modify thread": get("modify_thread", thread, body=metadata),
    }
