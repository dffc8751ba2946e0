"""The table of silences, and the bars that ours is held to. No I/O."""

from collections.abc import Iterator

from bench.figures import Bar, Cell, Held, Row, Section, median
from bench.silence.faults import Fault
from bench.silence.outcomes import SOON, Found, Results, Silences, Thaws, late, to_cell
from bench.silence.ways import AGENTS_JS, FOREIGN, OURS

_NOT_APPLICABLE = Cell("n/a")
_REPLACED = (3.5, 8.0)
# Seconds, median and longest.
_SECONDS = {
    OURS: {
        Fault.AGENT_KILLED: (1.5, 3.0),
        Fault.WORKER_KILLED: _REPLACED,
        Fault.AGENT_FROZEN: _REPLACED,
        Fault.WORKER_FROZEN: _REPLACED,
        Fault.LOOP_BLOCKED: (8.0, 10.0),
        Fault.HALF_FROZEN: (1.5, 8.0),
    },
    FOREIGN: {
        Fault.AGENT_KILLED: _REPLACED,
        Fault.WORKER_KILLED: _REPLACED,
        Fault.AGENT_FROZEN: _REPLACED,
        Fault.WORKER_FROZEN: _REPLACED,
    },
    AGENTS_JS: {Fault.AGENT_KILLED: _REPLACED, Fault.AGENT_FROZEN: _REPLACED},
}
_P95_OF_TEN = 8.0
_WITHIN_SOON = 80.0


def to_sections(results: Results, rounds: int, patience: float) -> list[Section]:
    """Return the table and the bars."""
    return [_table(results, _how(rounds, patience)), _bars(results)]


def _how(rounds: int, patience: float) -> str:
    return (
        "Seconds from the fault itself, not from LiveKit's noticing it, to the first sound of the"
        " next agent in the human's ears: median and longest. A human is LiveKit's Python client,"
        " subscribed; a sound has a peak above 500 of 32,767. The fault comes 3 s after the first"
        f" sound; nobody waits longer than {patience:g} s. {rounds} rounds, the ten calls once."
        " Killed: SIGKILL; frozen: SIGSTOP; thawed: SIGCONT; whole: every process of the worker."
        " Thawed shows the share in which, 8 s later, the next agent is there, alone, and the old"
        " one was not heard again. The 20 joins come one after the other, each when the one before"
        " hears its agent, at the latest after 3 s; to the first sound. Ours is the Procfile's web"
        " and two workers. Foreign agents have no code of ours: a plain worker of livekit-agents,"
        " whose agents play a tone, or one of agents-js; LiveKit alone (the token names the agent)"
        " and the naive webhook have the former. Calls whose agents are struck begin every 3 s, on"
        " one deployment; every 1.5 s for the last two columns, whose ten calls are their rounds of"
        " a worker struck, too. n/a: not measured there."
    )


def _table(results: Results, how: str) -> Section:
    rows = tuple(
        Row(
            what=fault.value,
            cells=tuple(
                to_cell(fault, found[fault]) if fault in found else _NOT_APPLICABLE
                for found in results.values()
            ),
        )
        for fault in Fault
    )
    title = "Silence after a fault"
    return Section(key="silence", title=title, how=how, columns=tuple(results), rows=rows)


def _bars(results: Results) -> Section:
    rows = tuple(
        row
        for way, by_fault in results.items()
        for fault, found in by_fault.items()
        for row in _bars_of(way, fault, found)
    )
    how = "What ours is held to; a round in which nobody was heard misses its seconds."
    title = "Silence after a fault: the bars"
    return Section(key="silence-bars", title=title, how=how, columns=("measured",), rows=rows)


def _bars_of(way: str, fault: Fault, found: Found) -> Iterator[Row]:
    what = f"{way}: {fault.value}"
    if isinstance(found, Thaws):
        if way == OURS:
            yield _share(f"{what}, the next agent alone", 100 * found.share, 100)
        return
    if way == OURS and fault in {Fault.TEN_KILLED, Fault.TEN_FROZEN}:
        yield _seconds(f"{what}, p95", found, late(found), _P95_OF_TEN)
    if bars := _SECONDS.get(way, {}).get(fault):
        yield _seconds(f"{what}, median", found, median(found.seconds), bars[0])
        yield _seconds(f"{what}, longest", found, max(found.seconds), bars[1])
        if fault is Fault.HALF_FROZEN:
            yield _share(f"{what}, within {SOON:g} s", 100 * found.within(SOON), _WITHIN_SOON)


def _seconds(what: str, found: Silences, value: float, most: float) -> Row:
    held = Held(value=value, bar=Bar(most=most, unit=" s"))
    return Row(what=what, cells=(Cell(found.shown(value), value),), held=held)


def _share(what: str, value: float, least: float) -> Row:
    held = Held(value=value, bar=Bar(least=least, unit=" %"))
    return Row(what=what, cells=(Cell(f"{value:.0f}%", value),), held=held)
