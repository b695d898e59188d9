"""`python -m tools.replay`: tells the events of a thread, a project or a time span again, from what the table holds."""

import importlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

import click
from botocore.exceptions import BotoCoreError, ClientError

from shared import ids
from shared.settings import settings
from tools.cli import table_options
from tools.local.dynamodb import database

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])
# The last millisecond that a ULID can carry.
_NEVER = 2**48 - 1
_AT_ONCE = 100


class _Span(NamedTuple):
    """What is asked for: messages and runs created from `since` on, and before `until` (milliseconds since 1970)."""

    since: int
    until: int

    def sort_keys(self, prefix: str) -> tuple[str, str]:
        """Return the bounds of the sort keys of its messages or runs, which begin with a prefix."""
        return f"{prefix}{ids.lowest_ulid(self.since)}", f"{prefix}{ids.lowest_ulid(self.until)}"


@click.command()
@table_options.options
@click.option("--bus", help="Name of the event bus, unless --stack or EVENT_BUS_NAME says it.")
@click.option("--project", help="Only this project's threads; without it, those of all projects that ever had a key.")
@click.option("--thread", help="Only this thread, of --project.")
@click.option(
    "--since", type=_MOMENT, help="Only threads that were active since then (UTC), and messages and runs created since."
)
@click.option("--until", type=_MOMENT, help="Only threads, messages and runs created before then (UTC).")
def main(
    *,
    stack: str | None,
    bus: str | None,
    project: str | None,
    thread: str | None,
    since: datetime | None,
    until: datetime | None,
    **table: str | None,
) -> None:
    """Tell events again: of a thread, a project or a time span, as the table now holds them.

    Whoever follows the bus knows by the event id what was told before. An object that was changed since its creation
    is told as updated, its previous metadata null. A run is told with the status that it has. Deletions are told while
    the table still knows of them: those of threads until they are erased, those of messages never.
    """
    if thread and not project:
        raise click.UsageError("A thread needs its project: --project.")
    if not (project or since or until):
        raise click.UsageError("Say what is to be told: --project, with --thread or not, --since, --until.")
    if not (stack or bus or os.environ.get("EVENT_BUS_NAME")):
        raise click.UsageError("Say which bus is meant: --stack, --bus or EVENT_BUS_NAME.")
    try:
        table_options.choose(stack=stack, **table)
        if bus:
            os.environ["EVENT_BUS_NAME"] = bus
        span = _Span(_milliseconds(since, 0), _milliseconds(until, _NEVER))
        count = _tell(_partitions(project, thread, span), span)
    except (BotoCoreError, ClientError) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from error
    click.echo(f"{count} events")


def _milliseconds(moment: datetime | None, default: int) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000) if moment else default


def _partitions(project: str | None, thread: str | None, span: _Span) -> Iterator[str]:
    """Yield the partitions of the threads that were created before the end of the span."""
    keys, table = (database.store(name) for name in ("keys", "table"))
    if thread:
        yield keys.thread_partition(project, thread)
        return
    projects = {project} if project else {key.project for key in database.store("api_keys").list_keys()}
    for name in sorted(projects):
        for entries in keys.threads_partitions(name, settings().list_shards):
            for entry in table.query(entries, "0", ids.lowest_ulid(span.until)):
                yield keys.thread_partition(name, entry["thread"]["S"])


def _tell(partitions: Iterator[str], span: _Span) -> int:
    """Put the events of these threads on the bus; return their number."""
    event_bus = importlib.import_module("shared.event_bus")
    events = (event for batch in iter(lambda: [*islice(partitions, _AT_ONCE)], []) for event in _events(batch, span))
    count = 0
    while pack := [*islice(events, _AT_ONCE)]:
        database.store("table")  # another minute for each pack
        if (refused := event_bus.send(pack)) is not None:
            raise click.ClickException(f"the bus refused an event, {count + refused} were told before: try again")
        count += len(pack)
    return count


def _events(partitions: list[str], span: _Span) -> Iterator[Any]:
    """Yield the events of these threads, as far as they were active in the span."""
    events = importlib.import_module("shared.events")
    head, keys, table = (database.store(name) for name in ("head", "keys", "table"))
    sorts = (keys.HEAD, keys.THREAD)
    found = table.batch_get([keys.key(partition, sort) for partition in partitions for sort in sorts])
    for partition in partitions:
        state, thread = (found.get((partition, sort)) for sort in sorts)
        if state is None or int(state["activeAt"]["N"]) * 1000 + 999 < span.since:
            continue
        if state["state"]["S"] == head.ERASING:
            yield events.thread_deleted(partition)
        elif thread and head.is_open(state):
            yield events.of_thread(thread)
            yield from map(events.of_message, table.query(partition, *span.sort_keys(keys.MESSAGE_PREFIX)))
            for run in table.query(partition, *span.sort_keys(keys.RUN_PREFIX)):
                yield from events.of_run(run)


if __name__ == "__main__":
    main()
