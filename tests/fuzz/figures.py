"""What became of the requests of a run, and how much memory was taken."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

# In place of a status: the connection was closed without an answer, or nothing came in time.
CLOSED, SILENT = -1, 0
STATUSES = {200, 400, 401, 404, 405, 409, 413}
# Generous: a megabyte of content through a mock of DynamoDB, on a machine that does something else too.
SECONDS = 20.0


@dataclass
class Figures:
    """What became of the requests; `memory` is the peak of the process that answered them, in bytes."""

    seed: int
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    seconds: float = 0.0
    memory: int = 0
    grown: int = 0

    def add(self, status: int, seconds: float) -> None:
        self.requests += 1
        self.statuses[status] += 1
        self.slowest = max(self.slowest, seconds)

    def __str__(self) -> str:
        names = {CLOSED: "closed", SILENT: "left incomplete"}
        statuses = ", ".join(
            f"{names.get(status, status)}: {count:,}" for status, count in sorted(self.statuses.items())
        )
        return (
            f"{self.requests:,} requests, seed {self.seed}, {self.seconds:.0f} s; {statuses}; "
            f"slowest {self.slowest:.1f} s; peak memory {self.memory / 1e6:.0f} MB, "
            f"{self.grown / 1e6:.0f} MB of it after the first tenth"
        )


class WrongAnswerError(AssertionError):
    """A request was answered as it must not be; the text has its number, what was sent and what came."""


def peak(process: int | str = "self") -> int:
    """Return the most memory that a process ever had, in bytes."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
