"""Publishes the events of a thread, a project or a time span again, from the items of the table."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from shared import event_bus, events, ids
from shared.events import Event
from shared.settings import settings
from shared.store import api_keys, head, keys, table
from tools.errors import ToolError

# The last time that a ULID can have, in milliseconds since 1970.
END_OF_TIME = 2**48 - 1
_BATCH = 100


class Span(NamedTuple):
    """The time from `since` to just before `until`, in milliseconds since 1970, of messages and runs."""

    since: int
    until: int

    def sort_keys(self, prefix: str) -> tuple[str, str]:
        """Return the bounds of the sort keys of the span's messages or runs. The keys begin with a prefix."""
        return f"{prefix}{ids.lowest_ulid(self.since)}", f"{prefix}{ids.lowest_ulid(self.until)}"


def publish(project: str | None, thread: str | None, span: Span) -> int:
    """Publish the events of one thread, of a project's threads, or of all threads; return their number.

    A thread counts if it was active in the span, a message or run if it was created in it. Raises `ToolError` if the
    bus refuses an event.
    """
    count = 0
    partitions = _partitions(project, thread, span)
    while batch := [*islice(partitions, _BATCH)]:
        table.set_deadline(60)
        pending = _events(batch, span)
        while pack := [*islice(pending, _BATCH)]:
            table.set_deadline(60)
            if (refused := event_bus.send(pack)) is not None:
                raise ToolError(f"the bus refused an event after {count + refused} events: run the same command again")
            count += len(pack)
    return count


def _partitions(project: str | None, thread: str | None, span: Span) -> Iterator[str]:
    """Yield the partitions of the threads that were created before the end of the span."""
    if project and thread:
        yield keys.thread_partition(project, thread)
        return
    projects = {project} if project else {key.project for key in api_keys.list_keys()}
    for name in sorted(projects):
        for entries in keys.threads_partitions(name, settings().list_shards):
            for entry in table.query(entries, "0", ids.lowest_ulid(span.until)):
                yield keys.thread_partition(name, entry["thread"]["S"])


def _events(partitions: list[str], span: Span) -> Iterator[Event]:
    """Yield the events of the threads that were active in the span."""
    sorts = (keys.HEAD, keys.THREAD)
    items = table.batch_get([keys.key(partition, sort) for partition in partitions for sort in sorts])
    for partition in partitions:
        state, thread = (items.get((partition, sort)) for sort in sorts)
        if state is None or int(state["activeAt"]["N"]) * 1000 + 999 < span.since:
            continue
        if state["state"]["S"] == head.ERASING:
            yield events.thread_deleted(partition)
        elif thread and head.is_open(state):
            yield events.of_thread(thread)
            yield from map(events.of_message, table.query(partition, *span.sort_keys(keys.MESSAGE_PREFIX)))
            for run in table.query(partition, *span.sort_keys(keys.RUN_PREFIX)):
                yield from events.of_run(run)
