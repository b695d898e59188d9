"""The import: a file is read and checked line by line, then its threads are written one after the other."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, NamedTuple

from shared.records import Message, Thread
from tools.transfer import lines, spool, staging
from tools.transfer.errors import FileError
from tools.transfer.lines import RefusedError
from tools.transfer.spool import Spool

# In bytes; a message with all that it may hold, each character escaped, takes half of that.
_LONGEST_LINE = 16 * 1024 * 1024
# A file none of whose first lines is a thread or message is of another kind.
_LINES_TO_JUDGE = 100
_SECONDS_BETWEEN_LOOKS = 1.0

Refuse = Callable[[int, str], None]
Advance = Callable[[int], None]


class Counts(NamedTuple):
    """What became of a file; `existing` are the threads that were there before and left alone."""

    threads: int = 0
    messages: int = 0
    existing: int = 0


def read(file: IO[bytes], into: Spool, refuse: Refuse, advance: Advance) -> None:
    """Read a file into a spool; `refuse` is told line and reason of each that cannot be imported, `advance` the bytes.

    Raises `FileError`, `sqlite3.OperationalError` when there is no room for the spool.
    """
    good = False
    held: list[tuple[int, str]] = []  # until it is known what kind of file it is
    for number, line in enumerate(_lines(file), start=1):
        advance(len(line))
        try:
            if line.strip():
                into.add(number, _parse(line))
                good = True
        except RefusedError as error:
            held.append((number, str(error)))
        if not good and len(held) == _LINES_TO_JUDGE:
            first, reason = held[0]
            raise FileError(f"none of the first {number} lines is a thread or message: of line {first}, {reason}")
        while good and held:
            refuse(*held.pop(0))
    for told in held:
        refuse(*told)
    for number, thread_id in into.orphans():
        refuse(number, f"there is no line of its thread {thread_id}, or that was refused")


def write(
    found: Spool, project: str, refuse: Refuse, advance: Advance, *, patience: float, told_of_waiting: Advance
) -> Counts:
    """Write the threads of a spool, each whole or not at all; `advance` is told the threads that are done.

    A thread that another import writes is looked at again until it is complete, or until that import has given no sign
    of life for `patience` seconds; `told_of_waiting` is told the number of these. Raises `BusyError`.
    """
    run = staging.writer(project, patience)
    counts = Counts()
    taken: list[tuple[int, Thread]] = []
    waiting: Iterable[tuple[int, Thread]] = found.threads()
    while True:
        for line, thread in waiting:
            try:
                became = staging.write(run, found, line, thread)
            except RefusedError as error:
                refuse(line, str(error))
                became = ""
            if became == staging.TAKEN:
                taken.append((line, thread))
            else:
                counts = _counted(counts, became, found.count(thread.id))
                advance(1)
        if not taken:
            return counts
        told_of_waiting(len(taken))
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        waiting, taken = taken, []


def rehearse(found: Spool, project: str, refuse: Refuse, advance: Advance) -> Counts:
    """Return what `write` would, as the table is now, without writing. Raises `BusyError`."""
    counts = Counts()
    for line, thread in found.threads():
        try:
            state = staging.state_of(project, thread.id)
        except RefusedError as error:
            refuse(line, str(error))
        else:
            became = staging.EXISTS if state == staging.EXISTS else staging.IMPORTED
            counts = _counted(counts, became, found.count(thread.id))
        advance(1)
    return counts


def import_file(file: IO[bytes], project: str, refuse: Refuse) -> Counts:
    """Import a small file at once. Raises `FileError`, `BusyError`."""

    def unheard(_: int) -> None:
        """Nobody watches."""

    with spool.opened() as found:
        read(file, found, refuse, unheard)
        return write(found, project, refuse, unheard, patience=60, told_of_waiting=unheard)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines; of one that is too long, its beginning."""
    while line := file.readline(_LONGEST_LINE):
        yield line
        while len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(_LONGEST_LINE)


def _parse(line: bytes) -> Thread | Message:
    if len(line) == _LONGEST_LINE:
        raise RefusedError(f"it is longer than {_LONGEST_LINE} bytes")
    try:
        return lines.parse(line)
    except RefusedError as error:
        if line.endswith(b"\n"):
            raise
        raise RefusedError(f"{str(error).rstrip('.')} (the file ends in it, without a line feed)") from None


def _counted(counts: Counts, became: str, messages: int) -> Counts:
    if became == staging.EXISTS:
        return counts._replace(existing=counts.existing + 1)
    if became == staging.IMPORTED:
        return counts._replace(threads=counts.threads + 1, messages=counts.messages + messages)
    return counts
