"""`copy`: copies the assistants and threads of another endpoint of the same API to a JSONL file."""

import zlib
from pathlib import Path
from typing import Any

import click

from tools.cli import example, progress
from tools.transfer import copies, parts


@click.command(epilog=example("copy --threads ids.txt threads.jsonl"))
@click.option("--azure", is_flag=True, help="Azure: AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, OPENAI_API_VERSION.")
@click.option("--threads", type=click.File("r"), help="A file with thread ids, one a line.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("thread_ids", metavar="[THREAD_ID]...", nargs=-1)
def copy(*, azure: bool, threads: Any, file: Path, thread_ids: tuple[str, ...]) -> None:
    """Copy assistants and threads from another endpoint of the same API to FILE, for `import`.

    OPENAI_BASE_URL and OPENAI_API_KEY name the endpoint and its key. Without ids, all threads are copied, if the
    endpoint lists them: this API does, OpenAI's and Azure's did not. Assistants are all copied, if the endpoint has
    them. Runs are not copied. To finish a copy that was interrupted, run the same command again.
    """
    refusals = progress.Refusals()
    done = [0, 0]
    named = [*thread_ids, *(line.strip() for line in threads or () if line.strip())]
    source = copies.client(azure=azure)
    identity = (str(source.base_url), str(zlib.crc32(repr(named).encode())))
    with parts.part_of(file, *identity) as into, progress.bar("Copying", len(named) or None) as step:

        def advance(threads: int, messages: int) -> None:
            done[0] += threads
            done[1] += messages
            step(threads)

        assistants, unknown = copies.copy(source, named or copies.listed(source), into, refusals.add, advance)
    for name, count in sorted(unknown.items()):
        click.echo(f"left out: {name}, {count} times", err=True)
    click.echo(
        f"copied {progress.number_of(assistants)}{done[0]} threads with {done[1]} messages, {refusals.count} refused"
    )
    refusals.end()
