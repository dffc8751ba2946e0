"""The reliability table, and the bars that ours is held to. No I/O."""

from collections.abc import Iterator, Mapping
from enum import Enum

from bench.figures import (
    EMPTY,
    Bar,
    Cell,
    Held,
    Row,
    Section,
    compared,
    median,
    number,
    p95,
    ratio_of,
)
from bench.reliability.outcomes import Outcomes


class Scenario(Enum):
    """What happens; in words, with where the seconds count from when it is not the join."""

    FRESH = "a fresh room"
    LIVE = "a room that was made before, without agents"
    RELOAD = "a reload: back after 1.5 s"
    TWO = "two humans at the same moment"
    BURST = "a burst: 12 joins in the same instant"
    BUSY = "worker busy at the join, free 6 s later (from then)"
    LATE = "worker started 3 s after the join (from its registering)"
    KILLED_WORKER = "worker killed mid call, another at hand (from the dead agent's leaving)"
    KILLED_AGENT = "agent's process killed mid call (from the dead agent's leaving)"
    DOWN = "token server killed before the join, back 5 s after (from then)"
    DOUBLED = "every webhook twice"
    LOST = "every webhook lost, after they worked"

    @property
    def short(self) -> str:
        """The words without what is in parentheses."""
        return self.value.partition(" (")[0]


# By strategy and scenario; a scenario that makes no sense with a strategy is missing.
Results = Mapping[str, Mapping[Scenario, Outcomes]]
_OURS = "ours"
LIVEKITS_OWN = "LiveKit token dispatch"
_OURS_AT_JOINS = f"{_OURS}, join"


def to_sections(results: Results, patience: float) -> list[Section]:
    """Return the table, the times into a fresh room, and the bars."""
    return [_table(results, patience), _arrival(results), _bars(results)]


def _table(results: Results, patience: float) -> Section:
    found = [s for s in Scenario if any(s in by_scenario for by_scenario in results.values())]
    rooms = len(next(iter(results.values()))[Scenario.FRESH].each)
    how = (
        "Share of the joins that end with exactly one agent, known by `lk.agent.name`: the human"
        " sees it, and 2 s later LiveKit lists it and no other; then the seconds until it came,"
        f" median and longest, in the human's own room events. {rooms} rooms a cell, side by side;"
        f" a join without an agent after {patience:g} s is one without. Humans are LiveKit's"
        " Python client, without tracks. The worker is the same in every column, and has no code of"
        " ours: it takes each job as livekit-agents does by itself, and publishes a silent track;"
        " its load counts jobs, not CPU. n/a: nothing of that kind takes part."
    )
    rows = tuple(
        Row(
            what=scenario.value,
            cells=tuple(_cell(by_scenario, scenario) for by_scenario in results.values()),
        )
        for scenario in found
    )
    return Section(
        key="reliability",
        title="Exactly one agent",
        how=how,
        columns=tuple(results),
        rows=rows,
    )


def _cell(by_scenario: Mapping[Scenario, Outcomes], scenario: Scenario) -> Cell:
    return by_scenario[scenario].cell() if scenario in by_scenario else Cell("n/a")


def _arrival(results: Results) -> Section:
    rows = []
    for name, by_scenario in results.items():
        milliseconds = [1000 * seconds for seconds in by_scenario[Scenario.FRESH].seconds]
        cells = (Cell("no agent"), EMPTY)
        if milliseconds:
            cells = (number(median(milliseconds)), number(p95(milliseconds)))
        rows.append(Row(what=name, cells=cells))
    how = "From the human's join to the agent in the room: the first row above, in milliseconds."
    return Section(
        key="arrival",
        title="Join to agent, fresh room",
        how=how,
        columns=("p50 ms", "p95 ms"),
        rows=tuple(rows),
    )


_SECONDS_BARS = {
    Scenario.RELOAD: (1.2, "p95"),
    Scenario.BUSY: (8.0, "longest"),
    Scenario.LATE: (8.0, "longest"),
    Scenario.KILLED_WORKER: (5.0, "longest"),
}


# At most so many times what LiveKit's own token dispatch took; by scenario.
_RATIO_BARS = (
    (Scenario.FRESH, "median", 1.3),
    (Scenario.BURST, "median", 1.5),
    (Scenario.BURST, "longest", 1.5),
)


def _bars(results: Results) -> Section:
    rows = tuple(
        row
        for name, by_scenario in results.items()
        if name.startswith(_OURS)
        for row in _bars_of(name, by_scenario)
    )
    how = (
        "What ours is held to, in seconds and beside LiveKit's own token dispatch in the same run;"
        " a scenario in which one join fails misses its seconds too."
    )
    rows += tuple(_ratios(results))
    return Section(key="recovery", title="Recovery", how=how, columns=("measured",), rows=rows)


def _bars_of(name: str, by_scenario: Mapping[Scenario, Outcomes]) -> Iterator[Row]:
    least = 100 * min(outcomes.share for outcomes in by_scenario.values())
    yield Row(
        what=f"{name}: exactly one agent, least of {len(by_scenario)} scenarios",
        cells=(Cell(f"{least:.0f}%", least),),
        held=Held(value=least, bar=Bar(least=100, unit=" %")),
    )
    for scenario, (most, which) in _SECONDS_BARS.items():
        if outcomes := by_scenario.get(scenario):
            value = outcomes.p95 if which == "p95" else outcomes.worst
            yield Row(
                what=f"{name}: {scenario.value}, {which}",
                cells=(number(value, 2) if outcomes.share == 1 else Cell("not all came"),),
                held=Held(value=value, bar=Bar(most=most, unit=" s")),
            )


def _ratios(results: Results) -> Iterator[Row]:
    ours, theirs = results.get(_OURS_AT_JOINS, {}), results.get(LIVEKITS_OWN, {})
    for scenario, which, most in _RATIO_BARS:
        if scenario not in ours or scenario not in theirs:
            continue
        mine, other = (each[scenario] for each in (ours, theirs))
        pair = (mine.middle, other.middle) if which == "median" else (mine.worst, other.worst)
        ratio = ratio_of(*pair)
        yield Row(
            what=f"{_OURS_AT_JOINS}: {scenario.value}, {which}",
            cells=(compared(ratio, "LiveKit's own"),),
            held=Held(value=ratio.middle, bar=Bar(most=most)),
        )
