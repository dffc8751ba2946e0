"""Runs every fault in every way, each group of faults in a deployment of its own."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.effort import Effort
from bench.progress import say
from bench.reliability.stage import Stage
from bench.silence.faults import TO_AN_AGENT, Fault
from bench.silence.outcomes import Found, Results, to_cell
from bench.silence.strikes import (
    join_beside_a_frozen_worker,
    strike_agents,
    strike_worker_of_ten,
    strike_workers,
)
from bench.silence.ways import WAYS, Way

PATIENCE = 40.0
# Seconds between two calls' beginnings; less where no other agent comes.
_PACE, _PACE_WHERE_NONE_COMES = 3.0, 1.5
_TRIES = 3
_SHARED_BY_TEN = {Fault.WORKER_KILLED: Fault.TEN_KILLED, Fault.WORKER_FROZEN: Fault.TEN_FROZEN}

Group = Callable[[Stage], Awaitable[dict[Fault, Found]]]


def groups(way: Way, rounds: int) -> list[list[Group]]:
    """Return what is run one after the other, and in each what runs at the same time.

    Where no other agent comes, nothing disturbs anything.
    """
    agents = [fault for fault in TO_AN_AGENT if fault in way.faults]
    pace = _PACE if way.replaces else _PACE_WHERE_NONE_COMES
    found: list[list[Group]] = [[partial(strike_agents, faults=agents, rounds=rounds, pace=pace)]]
    ten: list[Group] = [
        partial(strike_worker_of_ten, fault=fault)
        for fault in (Fault.TEN_KILLED, Fault.TEN_FROZEN)
        if fault in way.faults
    ]
    if not way.replaces:
        found.append(ten)
    elif workers := [fault for fault in _SHARED_BY_TEN if fault in way.faults]:
        found.append([partial(strike_workers, faults=workers, rounds=rounds)])
        found += [[one] for one in ten]
    if Fault.HALF_FROZEN in way.faults:
        found.append([join_beside_a_frozen_worker])
    return found


def completed(way: Way, found: dict[Fault, Found]) -> dict[Fault, Found]:
    """Add what is the same where no other agent comes: a worker struck, with one call or ten."""
    shared = {} if way.replaces else _SHARED_BY_TEN
    return found | {one: found[ten] for one, ten in shared.items() if ten in found}


@dataclass(frozen=True)
class _Run:
    effort: Effort
    folder: Path

    async def all(self, ways: Sequence[Way]) -> Results:
        return {way.name: await self._way(way) for way in ways}

    async def _way(self, way: Way) -> dict[Fault, Found]:
        say(f"silence: {way.name}")
        found: dict[Fault, Found] = {}
        for side_by_side in groups(way, self.effort.silences):
            for part in await asyncio.gather(*(self._group(way, group) for group in side_by_side)):
                found |= part
                for fault, one in part.items():
                    say(f"    {way.name} | {fault.value}: {to_cell(fault, one).text}")
        return completed(way, found)

    async def _group(self, way: Way, group: Group) -> dict[Fault, Found]:
        """Run it; once more when a process did not start (somebody took its port)."""
        for _ in range(_TRIES - 1):
            try:
                return await self._try(way, group)
            except (AssertionError, RuntimeError, OSError) as error:
                say(f"    trying again: {str(error).splitlines()[0] or type(error).__name__}")
        return await self._try(way, group)

    async def _try(self, way: Way, group: Group) -> dict[Fault, Found]:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        async with Stage(way.strategy, folder, PATIENCE) as stage:
            return await group(stage)


def run_all(effort: Effort, folder: Path) -> Results:
    """Run every fault in every way."""
    return asyncio.run(_Run(effort, folder).all(WAYS))
