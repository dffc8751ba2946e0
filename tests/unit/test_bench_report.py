"""The report of `make bench`, from sections of different shapes."""

import json
from dataclasses import replace

from bench.figures import EMPTY, Bar, Held, Row, Section, number
from bench.report import Result, from_json, to_json, to_markdown, to_terminal

WITH_BAR = Section(
    key="growth",
    title="Growth",
    how="How.",
    columns=("CPU", "calls"),
    measured_on="2026-01-01",
    machine="2 cores",
    rows=(
        Row(what="1 room", cells=(number(1234.56, 1), EMPTY)),
        Row(
            what="200 rooms",
            cells=(number(25.0), number(3)),
            held=Held(value=25.0, bar=Bar(most=20, unit=" %")),
        ),
    ),
)
WITHOUT = Section(
    key="starts",
    title="Start",
    how="How.",
    columns=("p50 ms",),
    measured_on="2026-01-01",
    machine="2 cores",
    rows=(Row(what="ready", cells=(number(7),)),),
)
RESULT = Result(
    measured_on="2026-01-01", machine="2 cores", is_quick=False, sections=(WITH_BAR, WITHOUT)
)


def test_each_table_has_its_own_columns_and_bars_only_where_there_are_some() -> None:
    """A table of rooms and one of milliseconds have little in common."""
    lines = to_markdown(RESULT, charts={"growth"}).splitlines()

    assert "|  | CPU | calls | bar |  |" in lines
    assert "| 1 room | 1,234.6 |  |  |  |" in lines
    assert "| 200 rooms | 25 | 3 | <= 20 % | MISSED |" in lines
    assert "|  | p50 ms |" in lines


def test_only_a_section_with_a_chart_links_to_one() -> None:
    """A link to a file that was not drawn is a hole in the page."""
    links = [line for line in to_markdown(RESULT, charts={"growth"}).splitlines() if "](" in line]

    assert ["![Growth](benchmarks/growth.svg)"] == links


def test_what_misses_its_bar_is_named() -> None:
    """The last line of a run says what to look at."""
    assert ["200 rooms"] == RESULT.missed


def test_the_figures_are_kept_unrounded_and_as_plain_json() -> None:
    """Whoever draws or compares them later needs more than the page shows."""
    unreachable = Held(value=float("inf"), bar=Bar(most=8, unit=" s"))
    row = Row(what="late", cells=(number(0.123456, 1),), held=unreachable)
    section = Section(key="k", title="t", how="h", columns=("s",), rows=(row,))
    result = Result(measured_on="", machine="", is_quick=True, sections=(section,))

    def refuse(name: str) -> float:
        raise ValueError(name)

    document = json.loads(to_json(result), parse_constant=refuse)

    assert 0.123456 == document["sections"][0]["rows"][0]["cells"][0]["figures"]
    assert result == from_json(to_json(result))
    assert "late" in to_terminal(result)


def test_a_part_that_is_measured_anew_replaces_that_part_only() -> None:
    """A whole run takes half an hour; each table says when it was measured."""
    again = replace(WITHOUT, how="Anew.", measured_on="2026-02-02")
    newer = replace(RESULT, measured_on="2026-02-02", sections=(again,))

    merged = newer.added_to(RESULT)

    assert (WITH_BAR, again) == merged.sections
    assert "How. Measured on 2026-01-01." in to_markdown(merged, charts=())
    assert "Anew.\n" in to_markdown(merged, charts=())


def test_a_part_that_was_measured_elsewhere_says_where() -> None:
    """Within a table ratios hold; figures of two machines would be compared."""
    again = replace(WITHOUT, machine="64 cores")
    newer = replace(RESULT, machine="64 cores", sections=(again,))

    merged = newer.added_to(RESULT)

    page = to_markdown(merged, charts=())
    assert (WITH_BAR, again) == merged.sections
    assert "\n1. 64 cores\n2. 2 cores\n" in page
    assert [True, False] == [
        f"Measured on 2026-01-01, machine {number}." in page for number in (2, 1)
    ]


def test_a_first_answer_is_not_mixed_with_a_whole_run() -> None:
    """It is not to be believed."""
    newer = replace(RESULT, is_quick=True, sections=(WITHOUT,))

    assert newer == newer.added_to(RESULT)
