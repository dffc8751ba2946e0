"""Tokens per second: ours, the tutorial's shape, a Node.js server, and CreateRoom alone.

With a fresh room for each, which LiveKit answers with a webhook of its own where it has somewhere
to send it, and with rooms that are live already. Rounds take turns, and each server of each round
is fresh, so that no round pays for the rooms of another.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench.asyncio_client import put_asyncio_load_on
from bench.contenders import (
    HELD_AT,
    Contender,
    Occasion,
    p50_of,
    take_turns,
    to_row,
    token_server,
)
from bench.effort import Effort
from bench.figures import LOAD_COLUMNS, Bar, Cell, Held, Row, Section, compared
from bench.load import Target
from bench.requests import create_room_request
from bench.servers import livekit_with, start_node, start_ours, start_tutorial

LIVE_ROOMS = 64
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


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    """What is asked of all.

    Attributes:
        key: The section's name in files.
        title: Its heading.
        how: What this one has for itself.
        bars: What ours is held to beside others, at 16 connections.
        occasion: How all are asked.
    """

    key: str
    title: str
    how: str
    bars: Mapping[str, Bar]
    occasion: Occasion


_FRESH = _Comparison(
    key="tokens",
    title="POST /token, each for a fresh room",
    how="Webhooks on: each room sends one, for CreateRoom alone too, to our web process.",
    bars={_TUTORIAL: Bar(least=1.5), _NODE: Bar(least=1.1)},
    occasion=Occasion(),
)
_WITHOUT_WEBHOOKS = _Comparison(
    key="silent",
    title="POST /token, each for a fresh room, without webhooks",
    how="LiveKit has no webhooks configured.",
    bars={_NODE: Bar(least=1.0)},
    occasion=Occasion(has_webhooks=False, connections=(HELD_AT,)),
)
_LIVE = _Comparison(
    key="live",
    title=f"POST /token, for {LIVE_ROOMS} live rooms",
    how="To say that a room is there costs LiveKit next to nothing, and it sends no webhook.",
    bars={_TUTORIAL: Bar(least=2.0), _NODE: Bar(least=1.2)},
    occasion=Occasion(live_rooms=LIVE_ROOMS),
)


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
    take_turns(servers, comparison.occasion, effort, folder, comparison.title)
    return Section(
        key=comparison.key,
        title=comparison.title,
        how=f"{comparison.how} {_HOW}",
        columns=LOAD_COLUMNS,
        rows=tuple(
            _row(servers, server, connections, comparison.bars)
            for connections in comparison.occasion.connections
            for server in servers
        ),
    )


def _servers() -> list[Contender]:
    return [
        Contender(_OURS, partial(token_server, start_ours)),
        Contender(_TUTORIAL, partial(token_server, start_tutorial)),
        Contender(_NODE, partial(token_server, start_node)),
        Contender(_ASYNCIO, _bare, put_asyncio_load_on),
        Contender(_RAW, _bare),
    ]


def _row(
    servers: Sequence[Contender], server: Contender, connections: int, bars: Mapping[str, Bar]
) -> Row:
    """Summarise one server; ours beside it, and held to a bar where there is one."""
    what = f"{server.name}, {connections} connection{'s' if connections > 1 else ''}"
    ours = servers[0]
    if server is ours:
        row = to_row(what, server.loads[connections])
        return _held_to_its_call(row, ours, servers[-1]) if connections == 1 else row
    ratio = ours.rate_beside(server, connections)
    row = to_row(what, server.loads[connections], compared(ratio, "ours / this"))
    if connections != HELD_AT or server.name not in bars:
        return row
    return replace(row, held=Held(value=ratio.middle, bar=bars[server.name]))


def _held_to_its_call(row: Row, ours: Contender, bare: Contender) -> Row:
    """Hold what one connection waits to what it waits for CreateRoom alone."""
    added = p50_of(ours.loads[1]) - p50_of(bare.loads[1])
    beside = Cell(f"{added:+.1f} ms CreateRoom, raw sockets", added)
    bar = Bar(most=_MOST_ADDED, unit=" ms")
    return replace(row, cells=(*row.cells[:-1], beside), held=Held(value=added, bar=bar))


@contextmanager
def _bare(folder: Path, *, has_webhooks: bool) -> Iterator[Target]:
    with livekit_with(start_ours, folder, has_webhooks=has_webhooks) as ports:
        yield create_room_request(ports.livekit)
