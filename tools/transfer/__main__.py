"""`python -m tools.transfer`: brings threads in, out and over, for `make import`, `make export`, `make copy`."""

import os
import sqlite3
import zlib
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from shared.store.errors import BusyError, StoreError, ThreadNotFoundError
from tools.cli import table_options
from tools.local.dynamodb import database
from tools.transfer import progress
from tools.transfer.errors import TransferError

_CONTINUES = "what is complete is kept, the same command continues from there"


class _Refusals:
    """Prints each line or thread that is refused to stderr and counts them."""

    def __init__(self) -> None:
        self.count = 0
        self._warned = False

    def refuse(self, where: str, reason: str) -> None:
        self.count += 1
        progress.say(f"{where}: {reason}")

    def warn(self, where: str, reason: str) -> None:
        """Print what is missing, though nothing was refused."""
        self._warned = True
        progress.say(f"{where}: {reason}")

    def end(self) -> None:
        """Exit with 1 when something was refused or is missing."""
        if self.count or self._warned:
            click.get_current_context().exit(1)


class _OneLineErrors(click.Group):
    """Shows an error that ends a command as one line, with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError, OSError, StoreError, TransferError, sqlite3.Error) as error:
            raise click.ClickException(_described(error)) from error


@click.group(cls=_OneLineErrors)
def main() -> None:
    """Bring threads in from JSONL, out to JSONL, or from another endpoint of the same API to JSONL.

    Each line of such a file is a thread or a message as the API returns it.
    """


def _with_table(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which table is meant, and which of its projects."""

    @table_options.options
    @click.option("--project", required=True, help="The project whose threads they are.")
    @wraps(command)
    def run(
        *, stack: str | None, table: str | None, endpoint_url: str | None, region: str | None, project: str, **own: Any
    ) -> None:
        table_options.choose(stack=stack, table=table, endpoint_url=endpoint_url, region=region)
        if not database.store("api_keys").PROJECT.fullmatch(project):
            raise click.UsageError(database.PROJECT_RULE)
        command(project=project, **own)

    return run


@main.command("import")
@_with_table
@click.option("--dry-run", is_flag=True, help="Check all lines and say what would be done, but write nothing.")
@click.option(
    "--patience",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Seconds without a renewal after which the thread of another import is taken over.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
def import_(*, project: str, dry_run: bool, patience: float, files: tuple[str, ...]) -> None:
    """Import the threads and messages of FILES (- for standard input) with their ids and created_at.

    FILES are files or folders of saved responses: objects, list pages or JSON arrays, one on each line or over several
    lines. A thread that exists is not changed. Each line that is refused is named on stderr, and the exit code is then
    1. An import that was interrupted is finished by running it again.
    """
    from tools.transfer import imports
    from tools.transfer.files import expand, size
    from tools.transfer.spool import open_spool

    refusals = _Refusals()
    report = imports.Report(refusals.refuse, refusals.warn)
    with open_spool() as spool:
        names = expand(files, refusals.refuse)
        with progress.bar("Reading", size(names), "B") as advance:
            imports.read(names, spool, report, advance)
        threads, _ = spool.counts()
        with progress.bar("Checking" if dry_run else "Importing", threads) as advance:
            if dry_run:
                counts = imports.rehearse(spool, project, report, advance)
            else:
                counts = imports.write(spool, project, report, advance, patience=patience, on_waiting=_show_waiting)
    click.echo(
        f"{'would import' if dry_run else 'imported'} {counts.threads} threads with {counts.messages} messages, "
        f"{counts.existing} threads exist already, {refusals.count} refused"
        + (f", {counts.missing} messages are missing in threads that exist" if counts.missing else "")
    )
    refusals.end()


@main.command("export")
@_with_table
@click.option("--thread", "thread_id", help="Only this thread.")
@click.option("--dry-run", is_flag=True, help="Say what would be exported, but write nothing.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(*, project: str, thread_id: str | None, dry_run: bool, file: Path) -> None:
    """Export a project's threads to FILE, oldest first, each followed by its messages.

    FILE is there when it is complete; an export that was cut short is finished by running it again.
    """
    from tools.transfer import exports, parts

    done = [0, 0]

    with progress.bar("Exporting", None) as step:

        def advance(threads: int, messages: int) -> None:
            done[0] += threads
            done[1] += messages
            step(threads)

        if dry_run:
            exports.rehearse(project, thread_id, advance)
        else:
            source = (os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"), os.environ["TABLE_NAME"], project, thread_id)
            with parts.part_of(file, *source) as into:
                exports.export(project, thread_id, into, advance)
    click.echo(f"{'would export' if dry_run else 'exported'} {done[0]} threads with {done[1]} messages")


@main.command("copy")
@click.option("--azure", is_flag=True, help="Azure: AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, OPENAI_API_VERSION.")
@click.option("--threads", type=click.File("r"), help="A file with the ids of the threads, one a line.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("thread_ids", metavar="[THREAD_ID]...", nargs=-1)
def copy(*, azure: bool, threads: Any, file: Path, thread_ids: tuple[str, ...]) -> None:
    """Copy threads from the endpoint at OPENAI_BASE_URL, with OPENAI_API_KEY, to FILE, which `import` takes.

    Without ids, all threads are copied, where the endpoint lists them: this API does, OpenAI's and Azure's do not.
    A copy that was cut short is finished by running it again.
    """
    from tools.transfer import copies, parts

    refusals = _Refusals()
    done = [0, 0]
    named = [*thread_ids, *(line.strip() for line in threads or () if line.strip())]
    source = copies.client(azure=azure)
    identity = (str(source.base_url), str(zlib.crc32(repr(named).encode())))
    with parts.part_of(file, *identity) as into, progress.bar("Copying", len(named) or None) as step:

        def advance(threads: int, messages: int) -> None:
            done[0] += threads
            done[1] += messages
            step(threads)

        unknown = copies.copy(source, named or copies.listed(source), into, refusals.refuse, advance)
    for name, count in sorted(unknown.items()):
        click.echo(f"left out: {name}, {count} times", err=True)
    click.echo(f"copied {done[0]} threads with {done[1]} messages, {refusals.count} refused")
    refusals.end()


def _described(error: Exception) -> str:
    """Return the line about the error that ended a command."""
    match error:
        case TransferError():
            return str(error)
        case BusyError():
            return f"the table is too busy or cannot be reached ({error}): {_CONTINUES}"
        case ThreadNotFoundError():
            return f"the project has no thread {error.thread_id}"
        case sqlite3.Error():
            return f"no room for what is read from the files ({error}): set TMPDIR to another folder"
        case OSError():
            return f"{error.filename or 'cannot write'}: {error.strerror}; {_CONTINUES}"
    return f"{type(error).__name__}: {error}"


def _show_waiting(threads: int) -> None:
    if progress.is_terminal():
        progress.say(f"waiting for {threads} threads that another import was writing")


if __name__ == "__main__":
    main()
