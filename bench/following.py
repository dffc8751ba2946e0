"""What following costs: tokens per second while nobody has joined for earlier ones.

The load asks for tokens of few rooms again and again, so that the number of followed rooms stays
what it was said to be.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.contenders import to_row
from bench.effort import Effort
from bench.figures import LOAD_COLUMNS, Bar, Cell, Held, Ratio, Row, Section, p95
from bench.load import Load, put_load_on
from bench.progress import say
from bench.requests import issue_tokens, token_request
from bench.servers import livekit_with, start_ours

CONNECTIONS = 16
_FOLLOWED = (0, 50, 200)
_MOST = _FOLLOWED[-1]
_BAR = Bar(most=1.25)
_HOW = (
    f"Ours with {CONNECTIONS} connections that share {CONNECTIONS} live rooms, while so many other"
    " rooms are followed: a token was issued for each, and nobody has joined."
)


def measure_following(effort: Effort, folder: Path) -> list[Section]:
    """Measure with more and more rooms followed, in rounds that take turns."""
    loads: dict[int, list[Load]] = {followed: [] for followed in _FOLLOWED}
    for number in range(effort.rounds):
        say(f"following, round {number + 1} of {effort.rounds}")
        shift = number % len(_FOLLOWED)
        for followed in _FOLLOWED[shift:] + _FOLLOWED[:shift]:
            loads[followed].append(_visit(followed, effort, folder))
    idle = loads[_FOLLOWED[0]]
    rows = [to_row("0 rooms followed", idle)]
    rows += [_row(followed, loads[followed], idle) for followed in _FOLLOWED[1:]]
    title = "POST /token while rooms are followed"
    return [Section(key="following", title=title, how=_HOW, columns=LOAD_COLUMNS, rows=tuple(rows))]


def _row(followed: int, busy: Sequence[Load], idle: Sequence[Load]) -> Row:
    """Summarise one number of rooms beside none, round by round; the most are held to a bar."""
    rounds = list(zip(busy, idle, strict=True))
    rate = Ratio(rounds=tuple(mine.per_second / rest.per_second for mine, rest in rounds))
    slowest = Ratio(
        rounds=tuple(p95(mine.milliseconds) / p95(rest.milliseconds) for mine, rest in rounds)
    )
    beside = Cell(f"{rate} the rate, {slowest} the p95 of 0", (rate.rounds, slowest.rounds))
    row = to_row(f"{followed} rooms followed", busy, beside)
    return replace(row, held=Held(value=slowest.middle, bar=_BAR)) if followed == _MOST else row


def _visit(followed: int, effort: Effort, folder: Path) -> Load:
    with livekit_with(start_ours, folder) as ports:
        target = token_request(ports.web, rooms=CONNECTIONS)
        put_load_on(target, connections=CONNECTIONS, seconds=effort.lone_seconds)
        issue_tokens(ports.web, followed)
        load = put_load_on(target, connections=CONNECTIONS, seconds=effort.load_seconds)
    say(f"    {followed} followed: {load.per_second:,.0f}/s")
    return load
