"""What it costs tokens that agents are asked whether they live."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.contenders import to_row
from bench.effort import Effort
from bench.figures import LOAD_COLUMNS, Bar, Cell, Held, Ratio, Section
from bench.growth.deployment import Deployment, deployment
from bench.growth.measure import Crowd
from bench.load import Load, put_load_on
from bench.progress import say
from bench.requests import token_request

_CONNECTIONS = 16
_OFF = {"AGENT_SILENT_SECONDS": "0", "AGENT_BLOCKED_SECONDS": "0"}
_WAYS: tuple[tuple[str, dict[str, str]], ...] = (("asked", {}), ("not asked", _OFF))
_BAR = Bar(least=0.9)
_HOW = (
    "Ours with {connections} connections that share as many live rooms, beside {rooms} rooms with a"
    " human and an agent at rest: those agents are asked for signs of life every second, or"
    " (AGENT_SILENT_SECONDS=0) are not. Both run all the time, and get the load in turns."
)


def measure_watching(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure tokens with and without."""
    return [asyncio.run(_measure(effort, folder))]


async def _measure(effort: Effort, folder: Path) -> Section:
    rooms = effort.rooms_peopled[-1]
    loads: dict[str, list[Load]] = {what: [] for what, _ in _WAYS}
    with ExitStack() as ends:
        running = {what: ends.enter_context(deployment(folder, **off)) for what, off in _WAYS}
        crowds = [Crowd(each) for each in running.values()]
        try:
            for what, crowd in zip(running, crowds, strict=True):
                say(f"watching: {rooms} rooms whose agents are {what}")
                await crowd.fill(rooms)
            for number in range(effort.rounds):
                for what in list(running)[:: 1 if number % 2 else -1]:
                    loads[what].append(await _put_load_on(running[what], effort, what))
        finally:
            await asyncio.gather(*(crowd.leave() for crowd in crowds))
    return _section(rooms, loads["asked"], loads["not asked"])


async def _put_load_on(running: Deployment, effort: Effort, what: str) -> Load:
    target = token_request(running.web_port, rooms=_CONNECTIONS)
    load = await asyncio.to_thread(
        put_load_on, target, connections=_CONNECTIONS, seconds=effort.load_seconds
    )
    say(f"    {what}: {load.per_second:,.0f}/s")
    return load


def _section(rooms: int, asked: Sequence[Load], not_asked: Sequence[Load]) -> Section:
    rounds = zip(asked, not_asked, strict=True)
    rate = Ratio(rounds=tuple(mine.per_second / other.per_second for mine, other in rounds))
    row = to_row("asked", asked, Cell(f"{rate} the rate", rate.rounds))
    held = Held(value=rate.middle, bar=_BAR)
    return Section(
        key="watching",
        title="POST /token while agents are asked for signs of life",
        how=_HOW.format(connections=_CONNECTIONS, rooms=rooms),
        columns=LOAD_COLUMNS,
        rows=(to_row("not asked", not_asked), replace(row, held=held)),
    )
