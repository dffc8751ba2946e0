"""What all charts share: colours that are seen on white and on black, and the same bytes twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

# A contrast of about 4 to 1 on white and on GitHub's dark page; the page shows through.
INK = "#7a828c"
# Told apart without red and green (after Okabe and Ito); ours is the first.
COLOURS = ("#1f9bd7", "#e0812b", "#2aa57a", "#c177b2", "#8c8f94")
_STYLE: dict[RcKeyType, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": "medium",
    "font.family": "sans-serif",
    "font.size": 10,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "savefig.transparent": True,
    # The identifiers in the file come from this, instead of from chance.
    "svg.hashsalt": "bench",
    # Text stays text: small files, the reader's font.
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save in this block."""
    with mpl.rc_context(_STYLE):
        yield


def panels(width: float, height: float, count: int = 1) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure (inches) with so many panels side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, [figure.add_subplot(1, count, number + 1) for number in range(count)]


def save(figure: Figure, path: Path) -> None:
    """Write the SVG, without a date."""
    figure.savefig(path, format="svg", metadata={"Date": None})
    # matplotlib ends some lines with a blank.
    lines = (line.rstrip() for line in path.read_text().splitlines())
    path.write_text("\n".join(lines) + "\n")
