"""`events tail` prints the events of the local API. `events replay` publishes the events of a table again."""

import http.client
import os
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus

import click

from tools import environment, replay
from tools.cli import example, local_api, table_options
from tools.cli.table_options import Project
from tools.errors import ToolError

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@click.group()
def events() -> None:
    """Print the events of the local API, or publish events again."""


@events.command(epilog=example("events tail --port 8000"))
@local_api.port_option
def tail(port: int) -> None:
    """Print each event of the local API as EventBridge delivers it, one JSON document a line.

    It ends with the local API, or with Ctrl-C.
    """
    response = local_api.request(port, "GET", "/_local/events")
    if response.status != HTTPStatus.OK:
        raise ToolError(response.read().decode(errors="replace"))
    with suppress(KeyboardInterrupt, http.client.IncompleteRead):
        for line in response:
            if line.startswith(b"data: "):
                click.echo(line.removeprefix(b"data: "), nl=False)


@events.command(
    "replay",
    epilog=example("events replay --stack message-api --since 2026-11-22T08:00 --until 2026-11-22T12:00"),
)
@click.option("--bus", help="The name of the event bus. Default: that of --stack, or EVENT_BUS_NAME.")
@click.option("--project", type=Project(), help="Only threads of this project. Default: all projects that have keys.")
@click.option("--thread", help="Only this thread of --project.")
@click.option("--since", type=_TIME, help="Only threads active since then (UTC), and messages created since then.")
@click.option("--until", type=_TIME, help="Only threads and messages created before then (UTC).")
@table_options.add
def replay_(
    *,
    bus: str | None,
    project: str | None,
    thread: str | None,
    since: datetime | None,
    until: datetime | None,
    **table: str | None,
) -> None:
    """Publish the events of a thread, a project or a time span again, as the table has them now.

    Consumers recognize events that they had before by the event id. An object that was changed since its creation is
    published as updated, with null as its previous metadata. Deletions of threads are published until the threads are
    erased, deletions of messages never.
    """
    if thread and not project:
        raise click.UsageError("A thread needs its project: --project.")
    if not (project or since or until):
        raise click.UsageError("Name what to publish: --project, --thread, --since or --until.")
    if not (bus or table["stack"] or os.environ.get("EVENT_BUS_NAME")):
        raise click.UsageError("Name the bus: --stack, --bus or EVENT_BUS_NAME.")
    table_options.choose(**table)
    if bus:
        environment.update({"EVENT_BUS_NAME": bus})
    span = replay.Span(_milliseconds(since, 0), _milliseconds(until, replay.END_OF_TIME))
    click.echo(f"{replay.publish(project, thread, span)} events")


def _milliseconds(time: datetime | None, default: int) -> int:
    return int(time.replace(tzinfo=UTC).timestamp() * 1000) if time else default
