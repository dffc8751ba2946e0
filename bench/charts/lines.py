"""What grows with the number of connections, or of rooms."""

import re
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.charts.canvas import COLOURS, panels
from bench.figures import Row, Section

Points = Sequence[tuple[float, float]]
_CONNECTIONS = re.compile(r"^(?P<name>.+), (?P<x>\d+) connections?$")
_ROOMS = re.compile(r"^(?P<x>\d+) (?P<name>.+)$")
_PER_SECOND = 2
# By the column that is drawn.
_GROWTH = {0: "CPU, % of one core", 2: "LiveKit calls per second", 4: "join to agent, p50 s"}


def draw_throughput(section: Section) -> Figure:
    """Draw requests per second over connections, a line a server."""
    figure, (axes,) = panels(9, 3.8)
    lines = _lines(section.rows, _CONNECTIONS, _PER_SECOND)
    _draw(axes, lines, dict(zip(lines, COLOURS, strict=False)))
    axes.set_xscale("log", base=4)
    counts = sorted({x for points in lines.values() for x, _ in points})
    axes.set_xticks(counts, [f"{count:g}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("connections")
    axes.set_title("requests per second")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def draw_growth(section: Section) -> Figure:
    """Draw the web processes' CPU, the calls to LiveKit and the time to the agent over rooms."""
    figure, axes = panels(10, 3.6, 3)
    first = _lines(section.rows, _ROOMS, next(iter(_GROWTH)))
    colours = dict(zip(first, COLOURS, strict=False))
    most = max(x for points in first.values() for x, _ in points)
    for panel, (column, title) in zip(axes, _GROWTH.items(), strict=True):
        _draw(panel, _lines(section.rows, _ROOMS, column), colours)
        panel.set_title(title)
        panel.set_xlabel("rooms")
        panel.set_xlim(0, 1.05 * most)
        panel.legend()
    return figure


def _draw(axes: Axes, lines: Mapping[str, Points], colours: Mapping[str, str]) -> None:
    for name, points in lines.items():
        xs, ys = zip(*points, strict=True)
        axes.plot(xs, ys, color=colours[name], marker="o", markersize=4, label=name)
    axes.set_ylim(0, 1.1 * axes.get_ylim()[1])


def _lines(rows: Iterable[Row], name: re.Pattern[str], column: int) -> Mapping[str, Points]:
    """Sort a column's figures into lines by what the rows are called."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        matched, figure = name.match(row.what), row.cells[column].figures
        if matched and isinstance(figure, float | int):
            lines.setdefault(matched["name"], []).append((float(matched["x"]), figure))
    return lines
