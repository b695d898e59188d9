"""What a load has shown: as tables, and as a list of what is not as it must be."""

import statistics
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import table

# Times vary on a machine that others use too; a list that grows, or a leak, does more than this.
_MOST_SLOWER = 1.5
_MOST_GROWN = 1.1
_ERROR = "error: "


class Stages(NamedTuple):
    """So many people for `steady` seconds, ten times as many for `burst` seconds, as many as before for `after`."""

    users: int
    steady: int
    burst: int = 60
    after: int = 120

    def spans(self) -> dict[str, tuple[float, float]]:
        """Return the parts that are looked at, each from one second of the load to another."""
        third, burst, half = self.steady / 3, self.steady + self.burst, self.after / 2
        return {
            "first third": (0, third),
            "second third": (third, 2 * third),
            "last third": (2 * third, self.steady),
            "burst": (self.steady, burst),
            "the minute after": (burst, burst + half),
            "the next minute": (burst + half, burst + self.after),
        }


class Request(NamedTuple):
    """When it ended, in seconds of the load; its status, 0 for none; its milliseconds; what it was."""

    at: float
    status: int
    milliseconds: float
    name: str


class Sample(NamedTuple):
    """A process at a time in seconds since 1970: bytes in memory, seconds of the processor that it has used."""

    at: float
    memory: int
    processor: float


class Measured(NamedTuple):
    """A load and what came of it; times of samples are in seconds of the load here."""

    stages: Stages
    requests: list[Request]
    errors: list[str]
    samples: dict[str, list[Sample]]

    def during(self, span: str) -> list[Request]:
        """Return the requests that ended in a part of the load."""
        low, high = self.stages.spans()[span]
        return [request for request in self.requests if low <= request.at < high]

    def median(self, span: str) -> float:
        """Return the median of what a request took in a part of the load, in milliseconds."""
        return statistics.median([request.milliseconds for request in self.during(span)] or [0.0])

    def memory(self, process: str, span: str) -> float:
        """Return the median of a process's memory in a part of the load, in megabytes."""
        low, high = self.stages.spans()[span]
        found = [sample.memory / 1_000_000 for sample in self.samples[process] if low <= sample.at < high]
        return statistics.median(found or [0.0])


def read(log: Path, samples: dict[str, list[Sample]], stages: Stages) -> Measured:
    """Read what the people have noted."""
    lines = [line.split("\t", 3) for line in log.read_text(encoding="utf-8").splitlines()]
    began = float(lines[0][0])
    noted = [Request(float(at) - began, int(status), float(took), name) for at, status, took, name in lines[1:]]
    return Measured(
        stages,
        [request for request in noted if not request.name.startswith(_ERROR)],
        [request.name for request in noted if request.name.startswith(_ERROR)],
        {name: [sample._replace(at=sample.at - began) for sample in found] for name, found in samples.items()},
    )


def text(measured: Measured) -> str:
    """Return the figures as Markdown."""
    stages = measured.stages
    spans = stages.spans()
    steady = [request for request in measured.requests if request.at < stages.steady]
    head = ["when", "requests", "a second", "median, ms", "95 %, ms", "99 %, ms", "longest, ms", "statuses"]
    people = (
        f"{stages.users} people for {stages.steady / 60:g} minutes, {10 * stages.users} for {stages.burst} seconds, "
        f"{stages.users} for {stages.after} seconds more; {len(measured.errors)} answers that were not right."
    )
    parts = [
        people,
        table(head, [[span, *_figures(measured.during(span), high - low)] for span, (low, high) in spans.items()]),
        table(
            ["memory, MB", *spans],
            [[process, *(f"{measured.memory(process, span):.0f}" for span in spans)] for process in measured.samples],
        ),
        table(
            ["processor, of one core", "in the steady part"],
            [[process, _share(found, stages.steady)] for process, found in measured.samples.items()],
        ),
        table(["request", "in the steady part"], Counter(request.name for request in steady).most_common()),
    ]
    return "\n\n".join(parts)


def wrong(measured: Measured) -> list[str]:
    """Return a line for each thing that is not as it must be."""
    found = measured.errors[:10]
    for span in measured.stages.spans():
        allowed = {200, 429, 503} if span in {"burst", "the minute after"} else {200}
        others = {request.status for request in measured.during(span)} - allowed
        found += [f"{span}: answered {status}" for status in sorted(others)]
    first, last, calm = (measured.median(span) for span in ("first third", "last third", "the next minute"))
    if last > _MOST_SLOWER * first:
        found.append(f"the median rose from {first:.1f} to {last:.1f} ms")
    if calm > _MOST_SLOWER * last:
        found.append(f"the median was {last:.1f} ms before the burst and {calm:.1f} ms a minute after it")
    for process in measured.samples:
        before, now = (measured.memory(process, span) for span in ("second third", "last third"))
        if now > _MOST_GROWN * before:
            found.append(f"the memory of the {process} rose from {before:.0f} to {now:.0f} MB")
    return found


def _figures(requests: list[Request], seconds: float) -> list[str]:
    took = sorted(request.milliseconds for request in requests) or [0.0]
    middle, high, higher = (took[int(len(took) * part)] for part in (0.5, 0.95, 0.99))
    statuses = Counter(request.status for request in requests)
    return [
        f"{len(requests):,}",
        f"{len(requests) / seconds:.1f}",
        *(f"{value:.0f}" for value in (middle, high, higher, took[-1])),
        ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items())),
    ]


def _share(samples: list[Sample], seconds: float) -> str:
    inside = [sample for sample in samples if 0 <= sample.at < seconds]
    if len(inside) < 2:
        return "?"
    return f"{(inside[-1].processor - inside[0].processor) / (inside[-1].at - inside[0].at):.2f}"
