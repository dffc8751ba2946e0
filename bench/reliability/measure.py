"""Runs every scenario with every strategy, each group of scenarios in a deployment of its own."""

import asyncio
import itertools
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.effort import Effort
from bench.progress import say
from bench.reliability import calm, faults
from bench.reliability.outcomes import Outcome, Outcomes
from bench.reliability.stage import Stage
from bench.reliability.strategies import STRATEGIES, Strategy
from bench.reliability.table import Results, Scenario
from tests.system.webhook_relay import Post

# Seconds between two rooms' joins: a join is about one second of one core's work here.
_PACE = 0.6
_TRIES = 3

Found = Mapping[Scenario, list[Outcome]]
Group = Callable[[Stage, Effort], Awaitable[Found]]
_CALM = {
    Scenario.FRESH: calm.fresh,
    Scenario.LIVE: calm.live,
    Scenario.RELOAD: calm.reload,
    Scenario.TWO: calm.two_humans,
}
_FAULTS = {
    Scenario.BUSY: faults.busy_worker,
    Scenario.LATE: faults.late_worker,
    Scenario.DOWN: faults.down_at_the_join,
    Scenario.KILLED_WORKER: faults.killed_worker,
    Scenario.KILLED_AGENT: faults.killed_agents,
}


async def _undisturbed(stage: Stage, effort: Effort) -> Found:
    """Take the calm scenarios in turns, then the burst."""
    await stage.start_worker()
    await calm.warm_up(stage)
    found: dict[Scenario, list[Outcome]] = {scenario: [] for scenario in _CALM}
    turns = [scenario for _ in range(effort.rooms) for scenario in _CALM]

    works = [partial(_CALM[scenario], stage) for scenario in turns]
    outcomes = await _side_by_side(works, _PACE)
    for scenario, outcome in zip(turns, outcomes, strict=True):
        found[scenario].append(outcome)
    if effort.is_thorough:
        found[Scenario.BURST] = await calm.burst(stage)
    return found


async def _with_bad_post(stage: Stage, effort: Effort) -> Found:
    """Join fresh rooms while webhooks come twice, then while they are lost."""
    await stage.start_worker()
    await calm.warm_up(stage)
    found = {}
    for scenario, post in ((Scenario.DOUBLED, Post.DOUBLED), (Scenario.LOST, Post.LOST)):
        stage.relay.post = post
        joins = [partial(calm.fresh, stage)] * effort.rooms
        found[scenario] = await _side_by_side(joins, _PACE)
    return found


def _fault(scenario: Scenario) -> Group:
    async def take(stage: Stage, effort: Effort) -> Found:
        return {scenario: await _FAULTS[scenario](stage, effort.rooms)}

    return take


def _groups(strategy: Strategy, effort: Effort) -> list[list[Group]]:
    """Return what is run one after the other, and in each what runs at the same time.

    Where times count most, nothing else runs. What mostly waits runs together.
    """
    if not effort.is_thorough:
        return [[_undisturbed, _fault(Scenario.BUSY)]]
    busy, late = _fault(Scenario.BUSY), _fault(Scenario.LATE)
    killing = [_fault(Scenario.KILLED_WORKER), _fault(Scenario.KILLED_AGENT)]
    if strategy.start_web is None:
        return [[_undisturbed], [late], [busy], killing]
    return [[_undisturbed], [_with_bad_post], [late], [busy, _fault(Scenario.DOWN)], killing]


async def _side_by_side(
    works: Sequence[Callable[[], Awaitable[Outcome]]], pace: float
) -> list[Outcome]:
    """Begin one every `pace` seconds, and wait for all of them."""

    async def begin(number: int, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        await asyncio.sleep(number * pace)
        return await work()

    return list(await asyncio.gather(*itertools.starmap(begin, enumerate(works))))


@dataclass(frozen=True)
class _Run:
    effort: Effort
    folder: Path

    async def all(self) -> Results:
        return {strategy.name: await self._strategy(strategy) for strategy in STRATEGIES}

    async def _strategy(self, strategy: Strategy) -> dict[Scenario, Outcomes]:
        say(f"reliability: {strategy.name}")
        found: dict[Scenario, Outcomes] = {}
        for groups in _groups(strategy, self.effort):
            for part in await asyncio.gather(*(self._group(strategy, group) for group in groups)):
                new = {scenario: Outcomes(tuple(each)) for scenario, each in part.items()}
                found |= new
                for scenario, outcomes in new.items():
                    say(f"    {strategy.name} | {scenario.short}: {outcomes.cell().text}")
        return found

    async def _group(self, strategy: Strategy, group: Group) -> Found:
        """Run it; once more when a process did not start (somebody took its port)."""
        for _ in range(_TRIES - 1):
            try:
                return await self._try(strategy, group)
            except (AssertionError, RuntimeError, OSError) as error:
                say(f"    trying again: {str(error).splitlines()[0] or type(error).__name__}")
        return await self._try(strategy, group)

    async def _try(self, strategy: Strategy, group: Group) -> Found:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        async with Stage(strategy, folder, self.effort.patience) as stage:
            return await group(stage, self.effort)


def run_all(effort: Effort, folder: Path) -> Results:
    """Run every scenario with every strategy."""
    return asyncio.run(_Run(effort, folder).all())
