"""Draws line plots as SVG for light and dark pages. Both axes are logarithmic. matplotlib has its own environment."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

MATPLOTLIB = "matplotlib==3.10.7"
# uv ignores versions of packages and of their dependencies that were published after this day.
EXCLUDE_NEWER = "2026-11-20"
_GREY = "#888888"

Points = Sequence[tuple[float, float]]


def write(file: Path, title: str, axes: tuple[str, str], lines: Mapping[str, Points]) -> None:
    """Draw lines. The coordinates of all points must be above 0."""
    command = [*run_with(MATPLOTLIB), "python", __file__]
    subprocess.run(command, input=json.dumps([str(file), title, axes, lines]), text=True, check=True)


def run_with(package: str) -> list[str]:
    """Return the start of a command line that runs a command in an environment with this package, without ours."""
    import uv

    command = [uv.find_uv_bin(), "run", "--quiet", "--no-project", "--python", sys.executable]
    return [*command, "--exclude-newer", EXCLUDE_NEWER, "--with", package]


def _draw(file: str, title: str, axes: tuple[str, str], lines: Mapping[str, Points]) -> None:
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    coloured = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    mpl.rcParams.update(dict.fromkeys(coloured, _GREY) | {"svg.fonttype": "none", "svg.hashsalt": "plot"})
    figure, plot = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for name, points in lines.items():
        plot.loglog(*zip(*points, strict=True), marker="o", markersize=4, label=name)
    plot.set(title=title, xlabel=axes[0], ylabel=axes[1])
    plot.grid(alpha=0.3)
    plot.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(file, transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    _draw(*json.load(sys.stdin))
