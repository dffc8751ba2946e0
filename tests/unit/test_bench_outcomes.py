"""What the reliability table says of joins."""

import math

from bench.reliability.outcomes import Outcome, Outcomes
from bench.reliability.signalling_table import Arrivals, to_section
from bench.reliability.table import LIVEKITS_OWN, Scenario, to_sections


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


def test_ours_is_held_to_livekits_own_dispatch_of_the_same_run() -> None:
    """Seconds alone say more of the machine than of the product."""
    theirs = {scenario: outcomes((1.0, 1), (2.0, 1)) for scenario in Scenario}
    ours = theirs | {Scenario.BURST: outcomes((1.0, 1), (3.1, 1))}

    *_, bars = to_sections({LIVEKITS_OWN: theirs, "ours, join": ours}, patience=10)

    held = [(row.cells[0].text.split()[0], row.held.holds) for row in bars.rows[-3:] if row.held]
    assert [("1.00x", True), ("1.37x", True), ("1.55x", False)] == held


def test_a_burst_in_which_one_join_has_no_agent_misses_its_bar() -> None:
    """LiveKit's own may have failed too: that is no excuse."""
    never = float("inf")
    theirs = Arrivals(dispatch_seconds=(0.0, 0.0), agent_seconds=(0.1, never))
    ours = Arrivals(dispatch_seconds=(0.1, 0.1), agent_seconds=(0.1, never))

    section = to_section(theirs, ours, steady=ours)

    assert [False, False, True] == [row.held.holds for row in section.rows if row.held]
