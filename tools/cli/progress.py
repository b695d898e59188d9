"""What a long command shows: a progress bar on a terminal, and lines that are refused."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

_CLEAR = "\r\x1b[K"


class Refusals:
    """Prints each line or thread that is refused to stderr, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, where: str, reason: str) -> None:
        self.count += 1
        _say(f"{where}: {reason}")

    def end(self) -> None:
        """Exit with code 1 if something was refused."""
        if self.count:
            click.get_current_context().exit(1)


@contextmanager
def bar(label: str, length: int | None) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr, if that is a terminal; without a length, a number. Yield what moves it."""
    done = 0

    def count(steps: int) -> None:
        nonlocal done
        done += steps
        click.echo(f"{_CLEAR}{label}  {done}", err=True, nl=False)

    if not _is_terminal():
        yield lambda _: None
        return
    if length is None:
        try:
            yield count
        finally:
            click.echo(_CLEAR, err=True, nl=False)
        return
    shown: Any = click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True)
    with shown:
        yield shown.update


def print_waiting(threads: int) -> None:
    if _is_terminal():
        _say(f"waiting for {threads} threads that another import was writing")


def _say(line: str) -> None:
    """Write a line to stderr; on a terminal in place of the progress bar, which is drawn again below it."""
    click.echo(_CLEAR + line if _is_terminal() else line, err=True)


def _is_terminal() -> bool:
    return sys.stderr.isatty()
