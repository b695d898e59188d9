"""`check` and `repair`: what is wrong in a table that no operation leaves behind."""

from collections.abc import Iterable

import click

from tools.cli import example, table_options
from tools.repair import walk
from tools.repair.problem import Problem


class _Report:
    """Prints each problem once, and counts what was read, found and repaired."""

    def __init__(self) -> None:
        self.items = 0
        self._repaired: dict[tuple[str, str], bool] = {}

    def print(self, problems: Iterable[Problem]) -> list[Problem]:
        """Print the problems that are new; return all of them."""
        found = []
        for problem in problems:
            found.append(problem)
            if problem[:2] not in self._repaired:
                self._repaired[problem[:2]] = False
                click.echo(f"{problem.partition}: {problem.text}")
        return found

    def count(self, items: int) -> None:
        self.items += items

    def repair(self, problem: Problem) -> bool:
        """Repair a problem that was printed; tell whether that was done."""
        done = problem[:2] in self._repaired and bool(problem.writes) and walk.repair(problem)
        if done:
            self._repaired[problem[:2]] = True
        return done

    def end(self, *, repairs: bool) -> None:
        """Print the counts. The exit code is 1 if problems are left."""
        problems, repaired = len(self._repaired), sum(self._repaired.values())
        click.echo(f"{self.items} items read, {problems} problems{f', {repaired} repaired' if repairs else ''}")
        click.get_current_context().exit(1 if problems > repaired else 0)


@click.command(epilog=example("check --stack message-api"))
@table_options.with_table
def check() -> None:
    """Find problems in a whole table: heads, chunks, runs, aliases, lists and API keys.

    A restore to a point in time may cut a transaction in two, and so may a replica of a global table. No operation
    leaves such a table behind. `check` reads every item once and changes nothing. Run it while nothing writes to the
    table. The exit code is 1 if there are problems.
    """
    report = _Report()
    report.print(walk.problems(report.count))
    report.end(repairs=False)


@click.command(epilog=example("repair --stack message-api --table restored"))
@table_options.with_table
@click.option("--yes", is_flag=True, help="Repair without asking.")
def repair(*, yes: bool) -> None:
    """Print what `check` finds, ask, and repair it.

    Each partition is read again just before its repair, and the table after all repairs. Run it while nothing writes
    to the table. The exit code is 1 if problems are left.
    """
    report = _Report()
    while problems := [problem for problem in report.print(walk.problems(report.count)) if problem.writes]:
        if not yes:
            click.confirm(f"Repair {len(problems)} problems?", abort=True)
        partitions = dict.fromkeys(problem.partition for problem in problems)
        repaired = [report.repair(problem) for partition in partitions for problem in walk.read_again(partition)]
        if not any(repaired):
            break
    report.end(repairs=True)
