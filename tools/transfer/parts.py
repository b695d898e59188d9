"""Part files: an export or copy writes to a part file until it is complete, and continues it after an interruption."""

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class PartFile:
    """A file with assistants, then threads, each followed by its messages. The last thread may be incomplete."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._thread = 0

    def last_thread(self) -> str | None:
        """Remove the last thread, which may be incomplete, and return its id. Without a thread, remove everything."""
        start, last, offset = 0, b"", 0
        self._file.seek(0)
        for line in self._file:
            if line.endswith(b"\n") and b'"object":"thread",' in line[:200]:
                start, last = offset, line
            offset += len(line)
        self._truncate(start)
        return str(json.loads(last)["id"]) if last else None

    def restart(self) -> None:
        """Remove everything."""
        self._truncate(0)

    def is_empty(self) -> bool:
        """Return whether the file is empty."""
        return self._file.tell() == 0

    def mark(self) -> None:
        """Note that a thread begins here."""
        self._thread = self._file.tell()

    def add(self, line: str) -> None:
        """Write an object as a line."""
        self._file.write(line.encode() + b"\n")

    def drop(self) -> None:
        """Remove the thread that was started last, with its messages."""
        self._truncate(self._thread)

    def _truncate(self, size: int) -> None:
        self._file.seek(size)
        self._file.truncate()


@contextmanager
def part_of(out: Path, *source: str | None) -> Iterator[PartFile]:
    """Yield the part file of `out`. It becomes `out` at the end, and stays after an exception.

    `source` identifies the source of the threads. A part file of another source is not continued. Raises `OSError`.
    """
    path = out.with_name(f"{out.name}.{zlib.crc32(repr(source).encode()):08x}.part")
    try:
        with path.open("a+b") as file:
            yield PartFile(file)
            file.flush()
            os.fsync(file.fileno())
        path.replace(out)
    finally:
        if path.exists() and not path.stat().st_size:
            path.unlink()
