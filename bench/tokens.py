"""Tokens per second: ours, the tutorial's shape, a Node.js server, and CreateRoom alone.

With a fresh room for each, which LiveKit answers with a webhook of its own where it has somewhere
to send it, and with rooms that are live already. Rounds take turns, and each server of each round
is fresh, so that no round pays for the rooms of another.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bench.asyncio_client import put_asyncio_load_on
from bench.effort import Effort
from bench.figures import (
    EMPTY,
    LOAD_COLUMNS,
    Bar,
    Cell,
    Held,
    Ratio,
    Row,
    Section,
    compared,
    load_row,
    median,
    p95,
)
from bench.load import Load, Target, put_load_on
from bench.progress import say
from bench.requests import create_room_request, token_request
from bench.servers import (
    StartWeb,
    livekit_with,
    start_node,
    start_ours,
    start_tutorial,
)

_HELD_AT = 16
_WARM_UP_SECONDS = 0.5
_LIVE_ROOMS = 64
# Milliseconds that a token may take longer than its CreateRoom.
_MOST_ADDED = 1.5
_OURS, _TUTORIAL, _NODE = "ours", "tutorial's shape", "Node.js, livekit-server-sdk"
_ASYNCIO, _RAW = "CreateRoom alone, one asyncio client", "CreateRoom alone, raw sockets"
_HOW = (
    "Two processes each. The tutorial's shape is Flask under the same gunicorn, in gthread with 4"
    " threads: under gevent, which runs ours, `asyncio.run` fails. Node.js does the same two calls"
    " with livekit-server-sdk, in a cluster. The load comes from one thread on raw kept-alive"
    " sockets, but for the asyncio client (aiohttp), which is its own load. Medians of the rounds;"
    " ratios within each round (min to max)."
)
PutLoad = Callable[..., Load]
Run = Callable[..., AbstractContextManager[Target]]


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    """What is asked of all.

    Attributes:
        key: The section's name in files.
        title: Its heading.
        how: What this one has for itself.
        bars: What ours is held to beside others, at 16 connections.
        has_webhooks: Whether LiveKit sends any: to the server, or to ours for CreateRoom alone.
        live_rooms: How many rooms the requests are for; None: each is for a fresh one.
        connections: The numbers of connections.
    """

    key: str
    title: str
    how: str
    bars: Mapping[str, Bar]
    has_webhooks: bool = True
    live_rooms: int | None = None
    connections: tuple[int, ...] = (1, 4, _HELD_AT, 64)


_FRESH = _Comparison(
    key="tokens",
    title="POST /token, each for a fresh room",
    how="Webhooks on: each room sends one, for CreateRoom alone too, to our web process.",
    bars={_TUTORIAL: Bar(least=2.5), _NODE: Bar(least=1.0), _ASYNCIO: Bar(least=0.5)},
)
_WITHOUT_WEBHOOKS = _Comparison(
    key="silent",
    title="POST /token, each for a fresh room, without webhooks",
    how="LiveKit has no webhooks configured.",
    bars={_NODE: Bar(least=1.0), _ASYNCIO: Bar(least=0.5)},
    has_webhooks=False,
    connections=(_HELD_AT,),
)
_LIVE = _Comparison(
    key="live",
    title=f"POST /token, for {_LIVE_ROOMS} live rooms",
    how="To say that a room is there costs LiveKit next to nothing, and it sends no webhook.",
    bars={_TUTORIAL: Bar(least=2.5), _NODE: Bar(least=1.0)},
    live_rooms=_LIVE_ROOMS,
)


@dataclass(frozen=True)
class _Server:
    """One of those compared, and what it answered in each round, by number of connections."""

    name: str
    run: Run
    put_load: PutLoad = put_load_on
    loads: dict[int, list[Load]] = field(default_factory=dict)

    def visit(self, comparison: _Comparison, effort: Effort, folder: Path) -> None:
        """Start it, warm it up, measure, stop it."""
        with self.run(folder, has_webhooks=comparison.has_webhooks) as fresh_rooms:
            target = replace(fresh_rooms, numbers=comparison.live_rooms)
            put_load_on(target, connections=_HELD_AT, seconds=_WARM_UP_SECONDS)
            for connections in comparison.connections:
                seconds = effort.load_seconds if connections == _HELD_AT else effort.lone_seconds
                load = self.put_load(target, connections=connections, seconds=seconds)
                self.loads.setdefault(connections, []).append(load)
        rates = ", ".join(f"{loads[-1].per_second:,.0f}" for loads in self.loads.values())
        say(f"    {self.name}: {rates}/s")

    def rate_beside(self, other: "_Server", connections: int) -> Ratio:
        """Compare requests per second round by round."""
        pairs = zip(self.loads[connections], other.loads[connections], strict=True)
        return Ratio(rounds=tuple(mine.per_second / theirs.per_second for mine, theirs in pairs))


def measure_tokens(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure with a fresh room for each token, with webhooks."""
    return [_measure(_FRESH, effort, folder)]


def measure_tokens_without_webhooks(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure what /token and CreateRoom cost by themselves."""
    return [_measure(_WITHOUT_WEBHOOKS, effort, folder)]


def measure_live_tokens(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure with rooms that are live already."""
    return [_measure(_LIVE, effort, folder)]


def _measure(comparison: _Comparison, effort: Effort, folder: Path) -> Section:
    """Measure all in turns."""
    servers = _servers()
    for number in range(effort.rounds):
        say(f"{comparison.title}: round {number + 1} of {effort.rounds}")
        shift = number % len(servers)
        for server in servers[shift:] + servers[:shift]:
            server.visit(comparison, effort, folder)
    return Section(
        key=comparison.key,
        title=comparison.title,
        how=f"{comparison.how} {_HOW}",
        columns=LOAD_COLUMNS,
        rows=tuple(
            _row(servers, server, connections, comparison.bars)
            for connections in comparison.connections
            for server in servers
        ),
    )


def _servers() -> list[_Server]:
    return [
        _Server(_OURS, partial(_token_server, start_ours)),
        _Server(_TUTORIAL, partial(_token_server, start_tutorial)),
        _Server(_NODE, partial(_token_server, start_node)),
        _Server(_ASYNCIO, _bare, put_asyncio_load_on),
        _Server(_RAW, _bare),
    ]


def _row(
    servers: Sequence[_Server], server: _Server, connections: int, bars: Mapping[str, Bar]
) -> Row:
    """Summarise one server; ours beside it, and held to a bar where there is one."""
    what = f"{server.name}, {connections} connection{'s' if connections > 1 else ''}"
    ours = servers[0]
    if server is ours:
        row = to_row(what, server.loads[connections])
        return _held_to_its_call(row, ours, servers[-1]) if connections == 1 else row
    ratio = ours.rate_beside(server, connections)
    row = to_row(what, server.loads[connections], compared(ratio, "ours / this"))
    if connections != _HELD_AT or server.name not in bars:
        return row
    return replace(row, held=Held(value=ratio.middle, bar=bars[server.name]))


def _held_to_its_call(row: Row, ours: _Server, bare: _Server) -> Row:
    """Hold what one connection waits to what it waits for CreateRoom alone."""
    added = _p50(ours.loads[1]) - _p50(bare.loads[1])
    beside = Cell(f"{added:+.1f} ms CreateRoom, raw sockets", added)
    bar = Bar(most=_MOST_ADDED, unit=" ms")
    return replace(row, cells=(*row.cells[:-1], beside), held=Held(value=added, bar=bar))


def _p50(loads: Sequence[Load]) -> float:
    return median([median(load.milliseconds) for load in loads])


def to_row(what: str, loads: Sequence[Load], beside: Cell = EMPTY) -> Row:
    """Summarise the rounds of one server."""
    milliseconds = (
        _p50(loads),
        median([p95(load.milliseconds) for load in loads]),
    )
    return load_row(what, milliseconds, median([load.per_second for load in loads]), beside)


@contextmanager
def _token_server(start: StartWeb, folder: Path, *, has_webhooks: bool) -> Iterator[Target]:
    with livekit_with(start, folder, has_webhooks=has_webhooks) as ports:
        yield token_request(ports.web)


@contextmanager
def _bare(folder: Path, *, has_webhooks: bool) -> Iterator[Target]:
    with livekit_with(start_ours, folder, has_webhooks=has_webhooks) as ports:
        yield create_room_request(ports.livekit)
