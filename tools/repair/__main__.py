"""`python -m tools.repair`: finds in a table what no operation leaves behind, and mends it; what `make repair` runs."""

from collections import Counter
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from shared.store.errors import StoreError
from tools.cli import table_options


@click.command()
@table_options.options
@click.option("--fix", is_flag=True, help="Mend what can be mended; without it, only tell.")
def main(*, fix: bool, **table: str | None) -> None:
    """Check a whole table: heads, parts, runs, assistants, aliases, lists and API keys.

    A restore to a point in time may cut a transaction in two, and a replica of a global table may be written past a
    transaction; no operation leaves such a table behind. Run it while nothing writes. It reads every item once.
    """
    try:
        table_options.choose(**table)
        counts = _repair(fix=fix)
    except (BotoCoreError, ClientError, StoreError) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from error
    click.echo(f"{counts['items']} items read, {counts['faults']} faults, {counts['mended']} mended")
    click.get_current_context().exit(1 if counts["faults"] > counts["mended"] else 0)


def _repair(*, fix: bool) -> Counter[str]:
    """Tell each fault, and mend it; a walk that mended something is followed by another, for what it uncovered."""
    from tools.repair import walk

    counts: Counter[str] = Counter()

    def read(items: int) -> None:
        counts["items"] += items

    told: set[Any] = set()
    again = True
    while again:
        again = False
        for fault in walk.faults(read):
            mended = fix and bool(fault.writes) and walk.mend(fault)
            if (fault.partition, fault.text) not in told:
                told.add((fault.partition, fault.text))
                counts["faults"] += 1
                counts["mended"] += mended
                click.echo(f"{fault.partition}: {fault.text}{' - mended' if mended else ''}")
                again = again or mended
    return counts


if __name__ == "__main__":
    main()
