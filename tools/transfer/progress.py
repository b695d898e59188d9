"""Progress bars on stderr, if that is a terminal, and lines above them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

# Without the thread that watches the bars of slow loops.
tqdm.monitor_interval = 0


@contextmanager
def bar(label: str, length: int | None, unit: str = "") -> Iterator[Callable[[int], None]]:
    """Show a progress bar, or only a count when the length is None. Yield the function that advances it."""
    with tqdm(desc=label, total=length, unit=unit, unit_scale=bool(unit), disable=None, leave=False) as shown:

        def advance(steps: int) -> None:
            shown.update(steps)

        yield advance


def say(line: str) -> None:
    """Write a line to stderr, above the progress bar."""
    tqdm.write(line, file=sys.stderr)


def is_terminal() -> bool:
    """Tell whether a person sees stderr."""
    return sys.stderr.isatty()
