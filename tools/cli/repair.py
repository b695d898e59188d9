"""`check` and `repair`: find and repair problems of a table that no operation leaves behind."""

from collections.abc import Iterable

import click

from tools.cli import example, table_options
from tools.repair import walk
from tools.repair.problem import Problem


@click.command(epilog=example("check --stack message-api"))
@table_options.with_table
def check() -> None:
    """Find problems in a whole table: heads, chunks, runs, aliases, lists and API keys.

    A restore to a point in time may cut a transaction in two, and so may a replica of a global table. No operation
    leaves such a table behind. `check` reads every item once and changes nothing. Run it while nothing writes to the
    table. The exit code is 1 if there are problems.
    """
    report = _Report()
    problems = report.walk()
    click.echo(f"{report.items} items read, {len(problems)} problems")
    click.get_current_context().exit(bool(problems))


@click.command(epilog=example("repair --stack message-api --table restored"))
@table_options.with_table
@click.option("--yes", is_flag=True, help="Repair without asking.")
def repair(*, yes: bool) -> None:
    """Print what `check` finds, ask, and repair it.

    Each partition is read again just before its repair, and the table after all repairs. Run it while nothing writes
    to the table. The exit code is 1 if problems are left.
    """
    report = _Report()
    problems = report.walk()
    while repairable := [problem for problem in problems if problem.writes]:
        if not yes:
            click.confirm(f"Repair {len(repairable)} of {len(problems)} problems?", abort=True)
        if not report.repair({problem.partition: None for problem in repairable}):
            break
        problems = report.walk()
    click.echo(
        f"{report.items} items read, {len(report.printed)} problems, {len(report.printed) - len(problems)} repaired"
    )
    click.get_current_context().exit(bool(problems))


class _Report:
    """The number of items that were read, and the problems that were printed. Each problem is printed once."""

    def __init__(self) -> None:
        self.items = 0
        self.printed: set[tuple[str, str]] = set()

    def walk(self) -> list[Problem]:
        """Read the table, print its problems, and return them."""
        problems = []
        for problem in walk.problems(self._count):
            problems.append(problem)
            if problem[:2] not in self.printed:
                self.printed.add(problem[:2])
                click.echo(f"{problem.partition}: {problem.text}")
        return problems

    def repair(self, partitions: Iterable[str]) -> int:
        """Repair the printed problems of these partitions; return the number of repairs."""
        problems = (problem for partition in partitions for problem in walk.read_again(partition))
        return sum(walk.repair(problem) for problem in problems if problem.writes and problem[:2] in self.printed)

    def _count(self, items: int) -> None:
        self.items += items
