"""What the reliability table says of joins."""

import math

from bench.reliability.outcomes import Outcome, Outcomes
from bench.reliability.table import Scenario, to_sections


def outcomes(*each: tuple[float | None, int]) -> Outcomes:
    """Joins, each with its seconds and the agents in its room."""
    return Outcomes(tuple(Outcome(seconds, agents) for seconds, agents in each))


def test_only_exactly_one_agent_counts() -> None:
    """Two agents talk at once, and an agent that has gone helps nobody."""
    found = outcomes((0.2, 1), (0.3, 2), (0.4, 0), (None, 0))

    assert (0.25, [0.2]) == (found.share, found.seconds)
    assert "25%, 1 with two · 0.20 s, 0.20 s" == found.cell().text


def test_one_failed_join_misses_every_bar_in_seconds() -> None:
    """A fast answer for nine of ten is no promise kept."""
    found = outcomes((0.2, 1), (None, 0))

    assert (math.inf, math.inf) == (found.worst, found.p95)


def test_a_scenario_that_makes_no_sense_with_a_strategy_is_marked() -> None:
    """A zero there would be an accusation that nothing was measured for."""
    fresh = {Scenario.FRESH: outcomes((0.2, 1))}
    results = {"theirs": fresh, "ours, join": {**fresh, Scenario.LOST: outcomes((1.0, 1))}}

    table, _, bars = to_sections(results, patience=10)

    assert ["n/a", "100% · 1.00 s, 1.00 s"] == [cell.text for cell in table.rows[1].cells]
    assert [True] == [row.held.holds for row in bars.rows if row.held]
