"""The tables of the simulated LiveKit and their bars. No I/O."""

from collections.abc import Iterator, Sequence

from bench.figures import EMPTY, Bar, Cell, Held, Row, Section, median, number, p95
from bench.simulated.measure import PROCESSES, Step
from bench.simulated.outlook import Measured, Need, need
from bench.simulated.shares import Shares

# p95 of the seconds without an agent, by rooms; what the processes may use; a group's part of the
# rooms; the seconds after which one group alone looks at all of them.
_SECONDS = {1_000: Bar(most=6, unit=" s"), 5_000: Bar(most=20, unit=" s")}
_CPU = Bar(most=100, unit=" %")
_LEAST_PART = Bar(least=40, unit=" %")
_TAKEN_OVER = Bar(most=5, unit=" s")
_LOOK, _QUESTION = "ListParticipants", "PerformRpc"
_FORESEEN = 100_000
_REPLACED = (
    "p50 s",
    "p95 s",
    "longest s",
    "CPU, % of one core",
    "memory, MiB",
    "LiveKit calls per s",
    "of them looks",
    "of them questions to agents",
)
_GROWN = (
    "web processes",
    "cores",
    "memory, MiB",
    "LiveKit calls per s",
    "Redis commands per s",
    "p95 s until replaced",
)
_HOW_REPLACED = (
    "Rooms of a simulated LiveKit (bench/simulated, a process of its own, without media), each with"
    " a human and an agent. Webhooks work until all are there, and are lost from then on. Then"
    " {strikes} agents go, one after the other, and as many are killed, which LiveKit lists for"
    " 20 s more: seconds until the human has the next one, of which 0.2 to 0.5 s are the worker's."
    " What the web processes use (two, and gunicorn's own) is from /proc, in the {seconds:g} s"
    " before the first goes."
)
_HOW_SHARED = (
    "Two machines (folders) with two web processes each, on one Redis, and {rooms:,} such rooms"
    " whose webhooks are lost: the part of them that each has looked at, or asked the agent of, in"
    " 30 s; then one machine is killed."
)
_HOW_GROWN = (
    "What the rooms above cost, and what {rooms:,} need, calculated from the last of them: as many"
    " more processes as there are more rooms, for the same seconds; each room costs what it did,"
    " and each process lists all rooms as often. Redis: commands of a process with nothing to look"
    " at, and of a look, from the two machines above."
)


def to_replaced(steps: Sequence[Step], strikes: int, seconds: float) -> Section:
    """Return how long humans are without an agent, and what it costs that it is not longer."""
    rows = [row for step in steps for row in _replaced(step, is_last=step is steps[-1])]
    rows += _memory(steps)
    return Section(
        key="simulated",
        title="Agents that go unheard",
        how=_HOW_REPLACED.format(strikes=strikes, seconds=seconds),
        columns=_REPLACED,
        rows=tuple(rows),
    )


def _replaced(step: Step, *, is_last: bool) -> Iterator[Row]:
    use = step.use
    cost = (
        number(use.cpu_percent, 1),
        number(use.memory_mib),
        Cell(f"{use.calls_per_second:,.1f}", dict(use.calls)),
        number(use.calls.get(_LOOK, 0.0), 1),
        number(use.calls.get(_QUESTION, 0.0), 1),
    )
    bar = _SECONDS.get(step.rooms)
    held = Held(value=p95(step.gone), bar=bar) if bar else None
    yield Row(what=f"{step.rooms:,} rooms, gone", cells=(*_waits(step.gone), *cost), held=held)
    nothing = (EMPTY,) * len(cost)
    yield Row(what=f"{step.rooms:,} rooms, killed", cells=(*_waits(step.killed), *nothing))
    if is_last:
        cells = (EMPTY, EMPTY, EMPTY, number(use.cpu_percent, 1), *nothing[1:])
        held = Held(value=use.cpu_percent, bar=_CPU)
        yield Row(what=f"{step.rooms:,} rooms, CPU", cells=cells, held=held)


def _memory(steps: Sequence[Step]) -> Iterator[Row]:
    """Say what one room more takes."""
    fewest, most = steps[0], steps[-1]
    if more := most.rooms - fewest.rooms:
        kib = 1024 * (most.use.memory_mib - fewest.use.memory_mib) / more
        cells = [EMPTY] * len(_REPLACED)
        cells[_REPLACED.index("memory, MiB")] = Cell(f"{kib:.1f} KiB", kib)
        yield Row(what="memory of one room more", cells=tuple(cells))


def _waits(seconds: Sequence[float]) -> tuple[Cell, ...]:
    figures = (median(seconds), p95(seconds), max(seconds))
    return tuple(number(figure, 1) for figure in figures)


def to_shared(shares: Shares) -> Section:
    """Return how two machines share."""
    parts = [100 * looked / shares.rooms for looked in shares.looked]
    least = min(parts[0], parts[1], *(100 - part for part in parts))
    both = Cell(f"{parts[0]:.0f} % and {parts[1]:.0f} %", parts)
    rows = (
        Row(what="looked at", cells=(both,), held=Held(value=least, bar=_LEAST_PART)),
        Row(
            what="s until one has looked at all, after the other was killed",
            cells=(number(shares.taken_over, 1),),
            held=Held(value=shares.taken_over, bar=_TAKEN_OVER),
        ),
        Row(what="LiveKit calls per s", cells=(number(shares.use.calls_per_second, 1),)),
        Row(what="Redis commands per s", cells=(number(shares.redis_commands, 1),)),
        Row(what="CPU, % of one core", cells=(number(shares.use.cpu_percent, 1),)),
    )
    how = _HOW_SHARED.format(rooms=shares.rooms)
    return Section(
        key="shares", title="Two machines share rooms", how=how, columns=("both",), rows=rows
    )


def to_grown(steps: Sequence[Step], shares: Shares) -> Section:
    """Return the growth, and what many more rooms would need."""
    measured = [_measured(step, steps[0], shares) for step in steps]
    needs = [need(each.rooms, each) for each in measured]
    rows = [_grown(f"{each.rooms:,} rooms", each) for each in needs]
    rows.append(_grown(f"{_FORESEEN:,} rooms, calculated", need(_FORESEEN, measured[-1])))
    return Section(
        key="outlook",
        title="What more rooms need",
        how=_HOW_GROWN.format(rooms=_FORESEEN),
        columns=_GROWN,
        rows=tuple(rows),
    )


def _measured(step: Step, fewest: Step, shares: Shares) -> Measured:
    use = step.use
    return Measured(
        rooms=step.rooms,
        processes=PROCESSES,
        cores=use.cpu_percent / 100,
        memory_mib=use.memory_mib,
        memory_mib_empty=fewest.use.memory_mib,
        calls=dict(use.calls),
        redis_per_process=shares.redis_per_process,
        redis_per_look=shares.redis_per_look,
        seconds=p95(step.gone),
    )


def _grown(what: str, needed: Need) -> Row:
    return Row(
        what=what,
        cells=(
            number(needed.processes),
            number(needed.cores, 2),
            number(needed.memory_mib),
            number(needed.calls_per_second),
            number(needed.redis_commands),
            number(needed.seconds, 1),
        ),
    )
