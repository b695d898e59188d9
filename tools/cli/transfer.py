"""`import` reads assistants, threads and messages from saved files. `export` writes them to a JSONL file."""

import os
from pathlib import Path

import click

from tools.cli import example, progress, table_options
from tools.cli.table_options import Project
from tools.transfer import assistants as bring_assistants
from tools.transfer import exports, files, imports, parts, spool

_project = click.option("--project", type=Project(), required=True, help="The project of the threads.")


@click.command("import", epilog=example("import --stack message-api --project alpha threads.jsonl"))
@table_options.with_table
@_project
@click.option("--dry-run", is_flag=True, help="Check all files and print what an import would do; write nothing.")
@click.option(
    "--patience",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Take over the thread of another import that has shown no activity for this number of seconds.",
)
@click.argument("names", metavar="FILES...", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
def import_(*, project: str, dry_run: bool, patience: float, names: tuple[str, ...]) -> None:
    """Import the assistants, threads and messages of FILES (- for standard input) with their ids and created_at.

    FILES are files or folders of saved responses: objects, list pages or JSON arrays, one on each line or over several
    lines. A thread or assistant that exists is not changed. Runs are refused. Each refused object is printed to stderr
    with its place, and the exit code is then 1. To finish an import that was interrupted, run the same command again.
    """
    refusals = progress.Refusals()
    report = imports.Report(refusals.add, refusals.warn)
    with spool.open_spool() as spooled:
        found = files.expand(names, refusals.add)
        with progress.bar("Reading", files.size(found), "B") as advance:
            imports.read(found, spooled, report, advance)
        threads, assistants = spooled.counts()
        brought = bring_assistants.write(spooled, project, dry_run=dry_run)
        with progress.bar("Checking" if dry_run else "Importing", threads) as advance:
            if dry_run:
                counts = imports.rehearse(spooled, project, report, advance)
            else:
                counts = imports.write(
                    spooled, project, report, advance, patience=patience, on_waiting=progress.print_waiting
                )
    verb = "would import" if dry_run else "imported"
    imported, existing = (f"{count} assistants" for count in brought)
    imported, existing = (f"{imported}, ", f"{existing} and ") if assistants else ("", "")
    click.echo(
        f"{verb} {imported}{counts.threads} threads with {counts.messages} messages, "
        f"{existing}{counts.existing} threads exist already, {refusals.count} refused"
        + (f", {counts.missing} messages are missing in threads that exist" if counts.missing else "")
    )
    refusals.end()


@click.command(epilog=example("export --stack message-api --project alpha threads.jsonl"))
@table_options.with_table
@_project
@click.option("--thread", "thread_id", help="Only this thread.")
@click.option("--dry-run", is_flag=True, help="Print what an export would write; write nothing.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(*, project: str, thread_id: str | None, dry_run: bool, file: Path) -> None:
    """Export a project's assistants and threads to FILE, oldest first, each thread followed by its messages.

    With --thread, no assistants are exported. Runs are not exported.

    FILE exists once it is complete. To finish an export that was interrupted, run the same command again.
    """
    done = [0, 0]

    with progress.bar("Exporting", None) as step:

        def advance(threads: int, messages: int) -> None:
            done[0] += threads
            done[1] += messages
            step(threads)

        if dry_run:
            assistants = exports.rehearse(project, thread_id, advance)
        else:
            source = (os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"), os.environ["TABLE_NAME"], project, thread_id)
            with parts.part_of(file, *source) as into:
                assistants = exports.export(project, thread_id, into, advance)
    verb = "would export" if dry_run else "exported"
    click.echo(f"{verb} {progress.number_of(assistants)}{done[0]} threads with {done[1]} messages")
