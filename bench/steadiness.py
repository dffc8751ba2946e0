"""How often an agent that lives is put out: on a busy machine, and when LiveKit stands still."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

from bench.effort import Effort
from bench.figures import Bar, Cell, Held, Row, Section, number
from bench.progress import say
from bench.reliability.stage import Stage
from bench.reliability.strategies import STRATEGIES
from tests.processes import busy_machine
from tests.system.web_processes import stopped

_AGENTS = 20
_BUSY_LOOPS = 3
_STALLS, _STALL_SECONDS, _BETWEEN_STALLS = 5, 3.0, 10.0
_ALL_CAME_WITHIN = 120.0
_PACE = 1.0
_NONE = Bar(most=0, unit="")
_HOW = (
    "{agents} agents, each in a call with a human at rest, for {minutes:g} minutes, the middle"
    " third of them with {loops} busy loops on this machine; then livekit-server stopped (SIGSTOP)"
    " {stalls} times for {seconds:g} s. Every agent lives all the time, so that each that is put"
    " out is one too many."
)


class _Calls:
    """Twenty calls, and which of their agents have gone since the last count."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def begin(self) -> None:
        """Let everybody join, one after the other."""
        self._visitors = []
        for _ in range(_AGENTS):
            self._visitors.append(await self._stage.join(self._stage.new_room()))
            await asyncio.sleep(_PACE)
        until = time.monotonic() + _ALL_CAME_WITHIN
        came = [await visitor.sees_agent(until=until) for visitor in self._visitors]
        if not all(came):
            raise RuntimeError(f"{came.count(False)} of {_AGENTS} humans have no agent")
        self._agents = [visitor.agents for visitor in self._visitors]

    def lost(self) -> int:
        """Count the agents that have gone, and watch those that have come in their place."""
        now = [visitor.agents for visitor in self._visitors]
        lost = sum(len(before - after) for before, after in zip(self._agents, now, strict=True))
        self._agents = now
        return lost

    def put_out(self) -> int:
        """Count the agents that the token server has put out so far."""
        return self._stage.web.output().count("RemoveAgent")


def measure_steadiness(effort: Effort, folder: Path) -> Sequence[Section]:
    """Hold many calls for long."""
    return [asyncio.run(_measure(effort.steady_minutes, folder))]


async def _measure(minutes: float, folder: Path) -> Section:
    ours = next(strategy for strategy in STRATEGIES if strategy.name == "ours, join")
    async with Stage(ours, folder, patience=10.0) as stage:
        await stage.start_worker()
        calls = _Calls(stage)
        await calls.begin()
        third = minutes * 60 / 3
        rows = [await _hold(calls, "at rest", third)]
        with busy_machine(_BUSY_LOOPS):
            rows.append(await _hold(calls, f"with {_BUSY_LOOPS} busy loops", third))
        rows.append(await _hold(calls, "at rest again", third))
        rows.append(await _stall(stage, calls))
    how = _HOW.format(
        agents=_AGENTS, minutes=minutes, loops=_BUSY_LOOPS, stalls=_STALLS, seconds=_STALL_SECONDS
    )
    columns = ("minutes", "put out", "gone")
    title = "Put out though it lived"
    return Section(key="steadiness", title=title, how=how, columns=columns, rows=tuple(rows))


async def _hold(calls: _Calls, what: str, seconds: float) -> Row:
    before = calls.put_out()
    await asyncio.sleep(seconds)
    return _row(calls, what, seconds, before)


async def _stall(stage: Stage, calls: _Calls) -> Row:
    before = calls.put_out()
    for _ in range(_STALLS):
        with stopped(stage.livekit.process.popen.pid, os.kill):
            await asyncio.sleep(_STALL_SECONDS)
        await asyncio.sleep(_BETWEEN_STALLS)
    seconds = _STALLS * (_STALL_SECONDS + _BETWEEN_STALLS)
    return _row(calls, f"LiveKit stopped {_STALLS} times", seconds, before)


def _row(calls: _Calls, what: str, seconds: float, before: int) -> Row:
    put_out, lost = calls.put_out() - before, calls.lost()
    say(f"steadiness: {what}: {put_out} put out, {lost} gone")
    cells = (number(seconds / 60, 1), number(put_out), Cell(str(lost), lost))
    return Row(what=what, cells=cells, held=Held(value=max(put_out, lost), bar=_NONE))
