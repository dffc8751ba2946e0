"""The reliability table as a map: how surely, by colour, and how soon, in words."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bench.charts.canvas import INK, panels
from bench.figures import Cell, Section, median

# From none to all; light and dark enough for white letters.
_SHARES = LinearSegmentedColormap.from_list("shares", ("#a63d40", "#b98a2e", "#1f7a6d"))
_GAP = 0.04
_HEAD_WIDTH = 18
_NAME_WIDTH = 44


def draw_heat_map(section: Section) -> Figure:
    """Draw one box a cell: the share, and the median seconds below it."""
    figure, (axes,) = panels(11, 0.9 + 0.55 * len(section.rows))
    for y, row in enumerate(section.rows):
        for x, cell in enumerate(row.cells):
            _draw_cell(axes, (x, y), cell)
    axes.set_xlim(0, len(section.columns))
    axes.set_ylim(len(section.rows), 0)
    heads = [
        textwrap.fill(column, _HEAD_WIDTH, break_long_words=False) for column in section.columns
    ]
    axes.set_xticks([x + 0.5 for x in range(len(heads))], heads)
    names = [textwrap.fill(row.what, _NAME_WIDTH) for row in section.rows]
    axes.set_yticks([y + 0.5 for y in range(len(names))], names)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _draw_cell(axes: Axes, corner: tuple[int, int], cell: Cell) -> None:
    x, y = corner
    centre = (x + 0.5, y + 0.5)
    if not isinstance(cell.figures, dict):
        axes.annotate("n/a", centre, color=INK, ha="center", va="center")
        return
    share, seconds = cell.figures["share"], cell.figures["seconds"]
    side = 1 - 2 * _GAP
    axes.add_patch(Rectangle((x + _GAP, y + _GAP), side, side, color=_SHARES(share)))
    text = f"{share:.0%}"
    if share:
        text += f"\n{median([second for second in seconds if second is not None]):.2f} s"
    axes.annotate(text, centre, color="white", ha="center", va="center")
