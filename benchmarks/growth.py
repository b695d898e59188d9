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


def run() -> Report:
    """Measure all operations. The sizes take turns."""
    operations = {}
    for size in SIZES:
        figures.say(f"  {size:,} messages are written")
        client = Client(trusted=True)
        thread, ids, _ = fill(client, size, TEXT, age_seconds=3_600)
        operations[size] = _operations(client, thread, ids)
    ratios, grown = {}, []
    # A list also looks at the thread's newest creates. So reads are measured before creates, in a thread at rest.
    for name in sorted(operations[SIZES[0]], key=_CREATING.__contains__):
        times = figures.alternate({size: partial(figures.milliseconds, operations[size][name]) for size in SIZES})
        ratios[name] = figures.ratio(times[SIZES[-1]], times[SIZES[0]])
        if len({_units(operations[size][name]) for size in SIZES}) > 1:
            grown.append(name)
    what = f"of an operation, thread of {SIZES[-1]:,} messages to one of {SIZES[0]:,}"
    units = Row(f"Read and write units {what}", ", ".join(grown) or "the same", "the same")
    return Report([Row(f"Time {what}", figures.highest(ratios), "about 1"), units])


def _units(operation: Callable[[], Any]) -> tuple[float, float]:
    """Return the read and write units of an operation."""
    operation()  # not recorded: it may look up the client's key, once a minute
    with capacity.recorded() as made:
        operation()
    return capacity.units(made)


def _operations(client: Client, thread: str, ids: list[str]) -> dict[str, Callable[[], Any]]:
    """Return the operations on a thread. `before` and `after` name its middle, where they are hardest."""
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
