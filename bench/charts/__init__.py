"""Charts of the tables, as SVG, from the same figures."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from bench.charts.bars import draw_bars
from bench.charts.canvas import save, styled
from bench.charts.heat_map import draw_heat_map
from bench.charts.lines import draw_growth, draw_throughput
from bench.figures import Section

# By a section's key; a section that is not here has no chart.
_DRAW: Mapping[str, Callable[[Section], Figure]] = {
    "arrival": draw_bars,
    "growth": draw_growth,
    "joins": draw_bars,
    "live": draw_throughput,
    "reliability": draw_heat_map,
    "tokens": draw_throughput,
}


def draw_charts(sections: Iterable[Section], folder: Path) -> set[str]:
    """Write KEY.svg for every section that has a chart, and return these keys."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {section.key: section for section in sections if section.key in _DRAW}
    with styled():
        for key, section in drawn.items():
            save(_DRAW[key](section), folder / f"{key}.svg")
    return set(drawn)
