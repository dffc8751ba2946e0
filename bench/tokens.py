"""Tokens per second: ours, the tutorial's shape, a Node.js server, and CreateRoom alone.

Once with a fresh room for each, which LiveKit answers with a webhook of its own, and once with
rooms that are live already. Rounds take turns, and each server of each round is fresh, so that no
round pays for the rooms of another.
"""

from collections.abc import Callable, Iterator, Sequence
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
    livekit_alone,
    livekit_with,
    start_node,
    start_ours,
    start_tutorial,
)

_CONNECTIONS = (1, 4, 16, 64)
_HELD_AT = 16
_WARM_UP_SECONDS = 0.5
_LIVE_ROOMS = 64
_OURS, _TUTORIAL, _NODE = "ours", "tutorial's shape", "Node.js, livekit-server-sdk"
_ASYNCIO, _RAW = "CreateRoom alone, one asyncio client", "CreateRoom alone, raw sockets"
_HOW = (
    "Webhooks on; two processes each. The tutorial's shape is Flask under the same gunicorn, in"
    " gthread with 4 threads: under gevent, which runs ours, `asyncio.run` fails. Node.js does the"
    " same two calls with livekit-server-sdk, in a cluster. The load comes from one thread on raw"
    " kept-alive sockets, but for the asyncio client (aiohttp), which is its own load. Medians of"
    " the rounds; ratios within each round (min to max)."
)
PutLoad = Callable[..., Load]
Run = Callable[[Path], AbstractContextManager[Target]]


@dataclass(frozen=True)
class _Server:
    """One of those compared, and what it answered in each round, by number of connections."""

    name: str
    run: Run
    put_load: PutLoad = put_load_on
    loads: dict[int, list[Load]] = field(default_factory=lambda: {n: [] for n in _CONNECTIONS})

    def visit(self, effort: Effort, folder: Path, rooms: int | None) -> None:
        """Start it, warm it up, measure, stop it."""
        with self.run(folder) as fresh_rooms:
            target = replace(fresh_rooms, numbers=rooms)
            put_load_on(target, connections=_HELD_AT, seconds=_WARM_UP_SECONDS)
            for connections, loads in self.loads.items():
                seconds = effort.load_seconds if connections == _HELD_AT else effort.lone_seconds
                loads.append(self.put_load(target, connections=connections, seconds=seconds))
        rates = ", ".join(f"{loads[-1].per_second:,.0f}" for loads in self.loads.values())
        say(f"    {self.name}: {rates}/s")

    def rate_beside(self, other: "_Server", connections: int) -> Ratio:
        """Compare requests per second round by round."""
        pairs = zip(self.loads[connections], other.loads[connections], strict=True)
        return Ratio(rounds=tuple(mine.per_second / theirs.per_second for mine, theirs in pairs))


def measure_tokens(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure with a fresh room for each token."""
    title = "POST /token, each for a fresh room"
    return [_measure(("tokens", title), None, effort, folder)]


def measure_live_tokens(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure with rooms that are live already."""
    title = f"POST /token, for {_LIVE_ROOMS} live rooms"
    return [_measure(("live", title), _LIVE_ROOMS, effort, folder)]


def _measure(name: tuple[str, str], rooms: int | None, effort: Effort, folder: Path) -> Section:
    """Measure all in turns."""
    key, title = name
    servers = _servers()
    for number in range(effort.rounds):
        say(f"{title}: round {number + 1} of {effort.rounds}")
        shift = number % len(servers)
        for server in servers[shift:] + servers[:shift]:
            server.visit(effort, folder, rooms)
    rows = tuple(_row(servers, server, n) for n in _CONNECTIONS for server in servers)
    return Section(key=key, title=title, how=_HOW, columns=LOAD_COLUMNS, rows=rows)


def _servers() -> list[_Server]:
    return [
        _Server(_OURS, partial(_token_server, start_ours)),
        _Server(_TUTORIAL, partial(_token_server, start_tutorial)),
        _Server(_NODE, partial(_token_server, start_node)),
        _Server(_ASYNCIO, _bare, put_asyncio_load_on),
        _Server(_RAW, _bare),
    ]


def _row(servers: Sequence[_Server], server: _Server, connections: int) -> Row:
    """Summarise one server; ours beside it, and held to a bar beside the tutorial's."""
    what = f"{server.name}, {connections} connection{'s' if connections > 1 else ''}"
    if server is servers[0]:
        return to_row(what, server.loads[connections])
    ratio = servers[0].rate_beside(server, connections)
    row = to_row(what, server.loads[connections], compared(ratio, "ours / this"))
    if (server.name, connections) != (_TUTORIAL, _HELD_AT):
        return row
    return replace(row, held=Held(value=ratio.middle, bar=Bar(least=2.0)))


def to_row(what: str, loads: Sequence[Load], beside: Cell = EMPTY) -> Row:
    """Summarise the rounds of one server."""
    milliseconds = (
        median([median(load.milliseconds) for load in loads]),
        median([p95(load.milliseconds) for load in loads]),
    )
    return load_row(what, milliseconds, median([load.per_second for load in loads]), beside)


@contextmanager
def _token_server(start: StartWeb, folder: Path) -> Iterator[Target]:
    with livekit_with(start, folder) as ports:
        yield token_request(ports.web)


@contextmanager
def _bare(folder: Path) -> Iterator[Target]:
    with livekit_alone(folder) as ports:
        yield create_room_request(ports.livekit)
