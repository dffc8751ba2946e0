"""Milliseconds as bars: the median, and a line to the 95th percentile."""

import textwrap

from matplotlib.figure import Figure

from bench.charts.canvas import COLOURS, INK, panels
from bench.figures import Section

_LEFT_OUT = "connected only"
_NAME_WIDTH = 40


def draw_bars(section: Section) -> Figure:
    """Draw one bar a row; ours in its colour."""
    rows = [row for row in section.rows if not row.what.startswith(_LEFT_OUT)]
    figure, (axes,) = panels(9, 0.8 + 0.5 * len(rows))
    for y, row in enumerate(rows):
        p50, p95 = (cell.figures for cell in row.cells[:2])
        if not isinstance(p50, float) or not isinstance(p95, float):
            axes.annotate(row.cells[0].text, (0, y), xytext=(6, -4), textcoords="offset points")
            continue
        colour = COLOURS[0] if row.what.startswith("ours") else COLOURS[-1]
        axes.barh(y, p50, height=0.6, color=colour)
        axes.plot([p50, p95], [y, y], color=INK, marker="|", markersize=10)
        axes.annotate(
            f"{p50:,.0f}, {p95:,.0f} ms", (p95, y), xytext=(8, -4), textcoords="offset points"
        )
    axes.set_yticks(range(len(rows)), [textwrap.fill(row.what, _NAME_WIDTH) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1.3 * axes.get_xlim()[1])
    axes.set_xlabel("milliseconds: median (bar) and 95th percentile (line)")
    return figure
