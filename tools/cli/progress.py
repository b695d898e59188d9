"""The output of a long command on stderr: lines, and below them a progress bar if stderr is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from tqdm import tqdm

# This turns off the thread that watches the bars of slow loops.
tqdm.monitor_interval = 0


class Refusals:
    """Prints refused and missing objects to stderr, and counts the refused ones."""

    def __init__(self) -> None:
        self.count = 0
        self._warned = False

    def add(self, where: str, reason: str) -> None:
        """Print and count a refused object."""
        self.count += 1
        _say(f"{where}: {reason}")

    def warn(self, where: str, reason: str) -> None:
        """Print that something is missing, without counting a refusal."""
        self._warned = True
        _say(f"{where}: {reason}")

    def end(self) -> None:
        """Exit with code 1 if something was refused or is missing."""
        if self.count or self._warned:
            click.get_current_context().exit(1)


@contextmanager
def bar(label: str, length: int | None, unit: str = "") -> Iterator[Callable[[int], None]]:
    """Show a progress bar, or only a count when the length is None. Yield the function that advances it."""
    with tqdm(desc=label, total=length, unit=unit, unit_scale=bool(unit), disable=None, leave=False) as shown:

        def advance(steps: int) -> None:
            shown.update(steps)

        yield advance


def number_of(assistants: int) -> str:
    """Return the words about assistants in a summary, or an empty text if there are none."""
    return f"{assistants} assistants, " if assistants else ""


def print_waiting(threads: int) -> None:
    """Print that the import waits for another import, if stderr is a terminal."""
    if sys.stderr.isatty():
        _say(f"waiting for {threads} threads that another import was writing")


def _say(line: str) -> None:
    tqdm.write(line, file=sys.stderr)
