"""The import: reads and checks files, then writes their threads one after the other."""

import time
import uuid
from collections.abc import Iterable
from typing import IO, NamedTuple

from shared.runs.records import Assistant
from tools.transfer import assistants, files, objects, staging
from tools.transfer.errors import RefusedError
from tools.transfer.files import Advance, Candidate, Refuse
from tools.transfer.spool import Entry, Spool, open_spool

# If none of the first 100 values of a file is a thread, message or assistant, the file is of another kind.
_VALUES_TO_JUDGE = 100
_SECONDS_BETWEEN_LOOKS = 1.0


class Counts(NamedTuple):
    """The counts of an import.

    `existing` counts threads that existed before and were not changed, `missing` the messages that they do not have.
    """

    threads: int = 0
    messages: int = 0
    existing: int = 0
    missing: int = 0


class Report(NamedTuple):
    """Two functions that receive each refused object and each warning of omitted data, with the place in the files."""

    refuse: Refuse
    warn: Refuse


def read(names: Iterable[str], spool: Spool, report: Report, advance: Advance) -> None:
    """Read files into a spool; `advance` gets the bytes read. Raises `OSError`, `sqlite3.OperationalError`."""
    for name in names:
        _add(name, files.read(name, advance), spool, report)
    spool.complete(*report)


def write(
    spool: Spool, project: str, report: Report, advance: Advance, *, patience: float, on_waiting: Advance
) -> Counts:
    """Write the threads of a spool, each completely or not at all; `advance` gets the number of finished threads.

    If another import writes a thread, this import waits until the thread is complete, or has not been renewed for
    `patience` seconds. `on_waiting` gets the number of these threads. Raises `BusyError`.
    """
    run = staging.Writer(project, uuid.uuid4().hex, patience)
    tally = _Tally(spool, project, report)
    taken: list[Entry] = []
    waiting: Iterable[Entry] = spool.threads()
    while True:
        for entry in waiting:
            try:
                state = staging.write(run, spool, entry.number, entry.thread)
            except RefusedError as error:
                report.refuse(entry.place, str(error))
                state = ""
            if state == staging.TAKEN:
                taken.append(entry)
            else:
                tally.add(state, entry)
                advance(1)
        if not taken:
            return tally.counts
        on_waiting(len(taken))
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        waiting, taken = taken, []


def rehearse(spool: Spool, project: str, report: Report, advance: Advance) -> Counts:
    """Return the counts that `write` would return, without writing. Raises `BusyError`."""
    tally = _Tally(spool, project, report)
    for entry in spool.threads():
        try:
            state = staging.state_of(project, entry.thread.id)
        except RefusedError as error:
            report.refuse(entry.place, str(error))
        else:
            tally.add(staging.EXISTS if state == staging.EXISTS else staging.IMPORTED, entry)
        advance(1)
    return tally.counts


def _ignore(_: int) -> None:
    """Show no progress."""


def import_file(
    file: IO[bytes], project: str, report: Report, *, patience: float = 60, on_waiting: Advance = _ignore
) -> Counts:
    """Import a small open file in one call. The import treats it like standard input. Raises `BusyError`."""
    with open_spool() as spool:
        _add(files.STDIN, files.objects(files.STDIN, file, _ignore), spool, report)
        spool.complete(*report)
        assistants.write(spool, project)
        return write(spool, project, report, _ignore, patience=patience, on_waiting=on_waiting)


def _add(name: str, values: Iterable[Candidate], spool: Spool, report: Report) -> None:
    """Add the values of a file. Refusals are held back until a value has shown the kind of the file, or to its end."""
    held: list[tuple[str, str]] = []
    is_known = is_json = False
    for candidate in values:
        is_json = is_json or not isinstance(candidate.value, RefusedError)
        try:
            parsed = objects.parse(candidate.value)
            spool.add(candidate, parsed)
            is_known = True
            if isinstance(parsed, Assistant) and (rest := objects.left_out(candidate.value)):
                report.warn(candidate.place, f"{parsed.id} is imported without {', '.join(rest)}")
        except RefusedError as error:
            held.append((candidate.place, str(error)))
            if isinstance(candidate.value, dict) and candidate.value.get("object") == "thread":
                spool.refuse_thread(candidate.place, candidate.value.get("id"))
        if is_known:
            _refuse_all(held, report.refuse)
        elif len(held) == _VALUES_TO_JUDGE:
            break
    if len(held) == _VALUES_TO_JUDGE or (len(held) > 1 and not is_json):
        place, reason = held[0]
        first = f"none of its first {len(held)} lines or objects is a thread, message or assistant"
        report.refuse(name, f"{first}. {place}: {reason}")
    else:
        _refuse_all(held, report.refuse)


def _refuse_all(held: list[tuple[str, str]], refuse: Refuse) -> None:
    for place, reason in held:
        refuse(place, reason)
    held.clear()


class _Tally:
    """Counts the imported threads, and warns of messages that are missing in threads which existed before."""

    def __init__(self, spool: Spool, project: str, report: Report) -> None:
        self._spool, self._project, self._report = spool, project, report
        self.counts = Counts()

    def add(self, state: str, entry: Entry) -> None:
        counts, thread_id = self.counts, entry.thread.id
        messages = self._spool.count(thread_id)
        if state == staging.IMPORTED:
            self.counts = counts._replace(threads=counts.threads + 1, messages=counts.messages + messages)
        elif state == staging.EXISTS:
            missing = staging.missing(self._project, self._spool, thread_id)
            self.counts = counts._replace(existing=counts.existing + 1, missing=counts.missing + missing)
            if missing:
                reason = f"{thread_id} exists already, and {missing} of its {messages} messages here are not in it"
                self._report.warn(entry.place, reason)
