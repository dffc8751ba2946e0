"""The charts of `make bench`: from the tables' figures, and the same file twice."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from bench.figures import LOAD_COLUMNS, Section, load_row
from bench.reliability.outcomes import Outcome, Outcomes
from bench.reliability.table import Scenario, to_sections

Draw = Callable[[Iterable[Section], Path], set[str]]


@pytest.fixture
def draw_charts() -> Draw:
    """Import matplotlib (0.7 s of processor time) in one process, not in all that collect."""
    from bench.charts import draw_charts  # noqa: PLC0415

    return draw_charts


def sections() -> list[Section]:
    """One section for each kind of chart."""
    one = Outcomes((Outcome(0.5, 1), Outcome(None, 0)))
    results = {
        "theirs": {Scenario.FRESH: one},
        "ours, join": {Scenario.FRESH: one, Scenario.LOST: one},
    }
    rows = [load_row(f"ours, {n} connections", (1.0, 2.0), 100.0 * n) for n in (4, 16)]
    tokens = Section(key="tokens", title="", how="", columns=LOAD_COLUMNS, rows=tuple(rows))
    return [*to_sections(results, patience=10), tokens]


def test_the_same_figures_give_the_same_files(draw_charts: Draw, tmp_path: Path) -> None:
    """A run that changes nothing shows no difference in the repository."""
    for folder in ("once", "again"):
        draw_charts(sections(), tmp_path / folder)

    once, again = (
        {file.name: file.read_bytes() for file in (tmp_path / folder).iterdir()}
        for folder in ("once", "again")
    )
    assert once == again
    assert {"reliability.svg", "arrival.svg", "tokens.svg"} == set(once)


def test_a_chart_shows_what_the_table_says(draw_charts: Draw, tmp_path: Path) -> None:
    """Text stays text, so that a page's reader can search it."""
    draw_charts(sections(), tmp_path)

    drawn = (tmp_path / "reliability.svg").read_text()
    assert ("50%" in drawn, "0.50 s" in drawn, "n/a" in drawn) == (True, True, True)
