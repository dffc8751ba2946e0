"""The growth tables and their bars. No I/O."""

from collections.abc import Iterator, Sequence

from bench.figures import EMPTY, Bar, Cell, Held, Row, Section, median, number, p95
from bench.growth.measure import Step

_FOLLOWED, _PEOPLED = "followed", "with a human"
# What 200 followed rooms may cost, and fewer; a room with a human may cost its part of 20 %.
_PERCENT_FOLLOWED, _PERCENT_PER_ROOM = 2.0, 20 / 200
# Linear is 1; a tenth is what two measurements of the same differ by.
_GROWTH_BAR = Bar(most=1.1)
_COLUMNS = (
    "CPU, % of one core",
    "memory, MiB",
    "LiveKit calls per s",
    "attended",
    "p50 s",
    "p95 s",
)
_HOW = (
    "What the web processes use (two, and gunicorn's own), from /proc, and the API calls that"
    " livekit-server counts. Followed: a token was issued for each room 15 s before, and nobody"
    " has joined; webhooks are known to work. With a human: LiveKit's Python client without tracks"
    " and one agent in each room, at rest; seconds from the join to the agent in the room, of"
    " those that joined for this row. The agents are those of a bench-only worker (threads, no"
    " tracks). They and the humans run on the same machine as what is measured and need a hundred"
    " times its CPU: two cores are not enough for 200 of both, so there are no more than 100, and"
    " their bar is 20 % of a core for 200 rooms, in proportion for fewer."
)


def to_section(followed: Sequence[Step], peopled: Sequence[Step]) -> Section:
    """Return both, and the bars."""
    rows = [
        *(_row(_FOLLOWED, step, is_last=step is followed[-1]) for step in followed),
        *(_row(_PEOPLED, step, is_last=step is peopled[-1]) for step in peopled),
        *_growth(_FOLLOWED, followed),
        *_growth(_PEOPLED, peopled),
    ]
    return Section(key="growth", title="Growth", how=_HOW, columns=_COLUMNS, rows=tuple(rows))


def _row(what: str, step: Step, *, is_last: bool) -> Row:
    use = step.use
    cells = (
        number(use.cpu_percent, 1),
        number(use.memory_mib),
        number(use.calls_per_second, 1),
        EMPTY if step.attended is None else Cell(f"{step.attended}/{step.rooms}", step.attended),
        number(median(step.seconds) if step.seconds else None, 2),
        number(p95(step.seconds) if step.seconds else None, 2),
    )
    most = _PERCENT_FOLLOWED if what == _FOLLOWED else _PERCENT_PER_ROOM * step.rooms
    bar = Bar(most=most, unit=" %")
    held = Held(value=use.cpu_percent, bar=bar) if is_last else None
    return Row(what=f"{step.rooms} {what}", cells=cells, held=held)


def _growth(what: str, steps: Sequence[Step]) -> Iterator[Row]:
    """Compare the CPU per room of the last step with that of the one a quarter its size."""
    last = steps[-1]
    for step in steps:
        if 4 * step.rooms == last.rooms and step.use.cpu_percent:
            ratio = last.use.cpu_percent / step.use.cpu_percent / 4
            yield Row(
                what=f"CPU per room, {last.rooms} beside {step.rooms} {what}",
                cells=(Cell(f"{ratio:.2f}x", ratio), *[EMPTY] * (len(_COLUMNS) - 1)),
                held=Held(value=ratio, bar=_GROWTH_BAR),
            )
