"""Tokens per second: ours, the tutorial's shape, and CreateRoom alone.

Once with a fresh room for each, which LiveKit answers with a webhook of its own, and once with
rooms that are live already. Rounds take turns, and each server of each round is fresh, so that no
round pays for the rooms of another.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.effort import Effort
from bench.figures import Bar, Compared, Ratio, Row, Section, median, p95
from bench.load import Load, Target, put_load_on
from bench.progress import say
from bench.requests import create_room_request, token_request
from bench.servers import livekit_alone, livekit_with, start_ours, start_tutorial

CONNECTIONS = 16
_WARM_UP_SECONDS = 0.5
_LIVE_ROOMS = 64
_HOW = (
    "Webhooks on; the same gunicorn and number of processes for both. The tutorial's shape runs in"
    " gthread with 4 threads: under gevent, which runs ours, `asyncio.run` fails. The load comes"
    " from one thread on raw kept-alive sockets. Medians of the rounds; ratios within each round"
    " (min to max)."
)


@dataclass(frozen=True)
class _Server:
    """One of those compared, what it answered with one connection, and with sixteen."""

    name: str
    run: Callable[[Path], AbstractContextManager[Target]]
    rooms: int | None
    lone: list[Load] = field(default_factory=list)
    full: list[Load] = field(default_factory=list)

    def visit(self, effort: Effort, folder: Path) -> None:
        """Start it, warm it up, measure, stop it."""
        with self.run(folder) as fresh_rooms:
            target = replace(fresh_rooms, numbers=self.rooms)
            put_load_on(target, connections=CONNECTIONS, seconds=_WARM_UP_SECONDS)
            self.lone.append(put_load_on(target, connections=1, seconds=effort.lone_seconds))
            full = put_load_on(target, connections=CONNECTIONS, seconds=effort.load_seconds)
            self.full.append(full)
        say(f"    {self.name}: {full.per_second:,.0f}/s, p50 {median(full.milliseconds):.1f} ms")

    def rate_beside(self, other: "_Server") -> Ratio:
        """Compare requests per second round by round."""
        pairs = zip(self.full, other.full, strict=True)
        return Ratio(rounds=tuple(ours.per_second / theirs.per_second for ours, theirs in pairs))


def measure_tokens(effort: Effort, folder: Path) -> Section:
    """Measure with a fresh room for each token."""
    return _measure("POST /token, each for a fresh room", None, effort, folder)


def measure_live_tokens(effort: Effort, folder: Path) -> Section:
    """Measure with rooms that are live already."""
    return _measure(f"POST /token, for {_LIVE_ROOMS} live rooms", _LIVE_ROOMS, effort, folder)


def _measure(title: str, rooms: int | None, effort: Effort, folder: Path) -> Section:
    """Measure all three in turns."""
    ours, tutorial, bare = (
        _Server("ours", _ours, rooms),
        _Server("tutorial", _tutorial, rooms),
        _Server("CreateRoom alone", _bare, rooms),
    )
    servers = [ours, tutorial, bare]
    for number in range(effort.rounds):
        say(f"{title}: round {number + 1} of {effort.rounds}")
        for server in servers[number % 3 :] + servers[: number % 3]:
            server.visit(effort, folder)
    rows = (
        to_row(
            f"ours, {CONNECTIONS} connections",
            ours.full,
            Compared(ours.rate_beside(tutorial), "ours / tutorial's", Bar(least=2.0)),
        ),
        to_row(f"tutorial's shape, {CONNECTIONS} connections", tutorial.full),
        to_row(
            f"CreateRoom alone, {CONNECTIONS} connections",
            bare.full,
            Compared(ours.rate_beside(bare), "ours / this limit"),
        ),
        *(to_row(f"{server.name}, 1 connection", server.lone) for server in servers),
    )
    return Section(title=title, how=_HOW, rows=rows)


def to_row(what: str, loads: list[Load], compared: Compared | None = None) -> Row:
    """Summarise the rounds of one server."""
    return Row(
        what=what,
        p50_ms=median([median(load.milliseconds) for load in loads]),
        p95_ms=median([p95(load.milliseconds) for load in loads]),
        per_second=median([load.per_second for load in loads]),
        compared=compared,
    )


@contextmanager
def _ours(folder: Path) -> Iterator[Target]:
    with livekit_with(start_ours, folder) as ports:
        yield token_request(ports.web)


@contextmanager
def _tutorial(folder: Path) -> Iterator[Target]:
    with livekit_with(start_tutorial, folder) as ports:
        yield token_request(ports.web)


@contextmanager
def _bare(folder: Path) -> Iterator[Target]:
    with livekit_alone(folder) as ports:
        yield create_room_request(ports.livekit)
