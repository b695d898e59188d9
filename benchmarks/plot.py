"""Line plots as SVG, both axes logarithmic; they stay legible on a light and on a dark page."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

_WIDTH, _HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 232, 40, 48
_COLOURS = (
    "#3b82f6",
    "#f97316",
    "#10b981",
    "#a855f7",
    "#ef4444",
    "#14b8a6",
    "#eab308",
    "#ec4899",
    "#6b7280",
    "#84cc16",
)

Points = Sequence[tuple[float, float]]


def write(file: Path, title: str, axes: tuple[str, str], lines: Mapping[str, Points]) -> None:
    """Draw lines through points above 0, each with its name at its end."""
    every = [point for points in lines.values() for point in points]
    across, up = (
        _Scale([x for x, _ in every], _LEFT, _WIDTH - _RIGHT),
        _Scale([y for _, y in every], _HEIGHT - _BOTTOM, _TOP),
    )
    parts = [_text(_LEFT, 20, title, "start", bold=True), *_grid(across, up, axes)]
    heights = _apart({name: up.place(points[-1][1]) for name, points in lines.items()})
    for colour, (name, points) in zip(_COLOURS, lines.items(), strict=False):
        path = " ".join(f"{across.place(x):.1f},{up.place(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{across.place(x):.1f}" cy="{up.place(y):.1f}" r="3" fill="{colour}"/>' for x, y in points
        ]
        parts.append(_text(_WIDTH - _RIGHT + 14, heights[name] + 4, name, "start", colour))
    body = "\n".join(parts)
    font = 'font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {font}>'
    file.write_text(f"{head}\n{body}\n</svg>\n", encoding="utf-8")


class _Scale:
    """A logarithmic axis from a value's power of ten below to its power of ten above."""

    def __init__(self, values: list[float], start: float, end: float) -> None:
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def marks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _grid(across: _Scale, up: _Scale, axes: tuple[str, str]) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for mark in across.marks():
        x = across.place(mark)
        yield f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#88888844"/>'
        yield _text(x, bottom + 18, f"{mark:,g}", "middle")
    for mark in up.marks():
        y = up.place(mark)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#88888844"/>'
        yield _text(_LEFT - 8, y + 4, f"{mark:,g}", "end")
    yield _text((_LEFT + right) / 2, _HEIGHT - 10, axes[0], "middle")
    yield _text(_LEFT, _TOP - 6, axes[1], "middle")


def _apart(heights: dict[str, float]) -> dict[str, float]:
    """Move names that would overlap down."""
    found: dict[str, float] = {}
    lowest = 0.0
    for name, height in sorted(heights.items(), key=lambda entry: entry[1]):
        lowest = max(height, lowest + 15)
        found[name] = lowest
    return found


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#888888", *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(text)}</text>'
