"""Joins without media: what the coming of an agent takes when clients cost next to nothing.

All times are livekit-server's own: when it lists the human, when the dispatch was created, when it
lists the agent.
"""

import asyncio
import itertools
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
from livekit import api

from bench.effort import Effort
from bench.figures import Section
from bench.progress import say
from bench.reliability.signalling_clients import SignallingClient, SignallingWorker
from bench.reliability.signalling_table import Arrivals, to_section
from bench.reliability.stage import Stage
from bench.reliability.strategies import OURS, TOKEN_DISPATCH, Strategy
from tests.processes import AGENT_NAME

_HUMANS = 50
_BURST_ENDS_AFTER = 10.0
_WARM_UP_SECONDS = 2.0
_STEADY_PACE = 1 / 3
_STEADY_SECONDS = 20
_STEADY_ENDS_AFTER = 5.0
_NOT_ASKED = {"AGENT_SILENT_SECONDS": "0", "AGENT_BLOCKED_SECONDS": "0"}
_NS = 1e-9
_MS = 1e-3


async def _burst(stage: Stage, session: aiohttp.ClientSession) -> Arrivals:
    """Let all join in the same instant, each a fresh room, with a token fetched before."""
    return await _joins(stage, session, pace=0, count=_HUMANS, ends_after=_BURST_ENDS_AFTER)


async def _steady(stage: Stage, session: aiohttp.ClientSession) -> Arrivals:
    """Let three join each second, each a fresh room, with a token fetched just before."""
    count = round(_STEADY_SECONDS / _STEADY_PACE)
    ends_after = _STEADY_ENDS_AFTER
    return await _joins(stage, session, pace=_STEADY_PACE, count=count, ends_after=ends_after)


async def _joins(
    stage: Stage, session: aiohttp.ClientSession, *, pace: float, count: int, ends_after: float
) -> Arrivals:
    rooms = [stage.new_room() for _ in range(count)]
    tokens = {} if pace else {room_name: await stage.token(room_name) for room_name in rooms}

    async def join(number: int, room_name: str) -> tuple[float, float]:
        await asyncio.sleep(number * pace)
        human = SignallingClient(session)
        await human.join(stage.livekit.url, tokens.get(room_name) or await stage.token(room_name))
        await asyncio.sleep(ends_after)
        times = await _times(stage.api, room_name)
        await human.leave()
        return times

    found = await asyncio.gather(*itertools.starmap(join, enumerate(rooms)))
    return Arrivals(
        dispatch_seconds=tuple(dispatch for dispatch, _ in found),
        agent_seconds=tuple(agent for _, agent in found),
    )


async def _times(livekit: api.LiveKitAPI, room_name: str) -> tuple[float, float]:
    """Return the seconds from the human to the dispatch and to the agent; infinite without."""
    participants = (
        await livekit.room.list_participants(api.ListParticipantsRequest(room=room_name))
    ).participants
    dispatches = await livekit.agent_dispatch.list_dispatch(room_name)
    agent_kind = api.ParticipantInfo.Kind.AGENT
    human = [_MS * one.joined_at_ms for one in participants if one.kind != agent_kind]
    agents = [_MS * one.joined_at_ms for one in participants if one.kind == agent_kind]
    created = [_NS * one.state.created_at for one in dispatches if one.agent_name == AGENT_NAME]
    nobody = float("inf")
    if not human:
        return nobody, nobody
    dispatch, agent = (min(times, default=nobody) - human[0] for times in (created, agents))
    return dispatch, agent


async def _on_a_stage(
    strategy: Strategy,
    folder: Path,
    joins: Callable[[Stage, aiohttp.ClientSession], Awaitable[Arrivals]],
    patience: float,
) -> Arrivals:
    own = Path(tempfile.mkdtemp(dir=folder))
    # Agents without media cannot answer whether they live.
    unasked = replace(strategy, settings={**strategy.settings, **_NOT_ASKED})
    async with (
        Stage(unasked, own, patience) as stage,
        aiohttp.ClientSession() as session,
        SignallingWorker(session, stage.livekit.url),
    ):
        await _joins(stage, session, pace=0, count=1, ends_after=_WARM_UP_SECONDS)
        arrivals = await joins(stage, session)
    say(f"    {strategy.name}: {arrivals}")
    return arrivals


async def _measure(effort: Effort, folder: Path) -> Section:
    say(f"signalling only: {_HUMANS} joins in the same instant")
    bursts = {
        strategy.name: await _on_a_stage(strategy, folder, _burst, effort.patience)
        for strategy in (TOKEN_DISPATCH, OURS)
    }
    say("signalling only: three joins a second")
    steady = await _on_a_stage(OURS, folder, _steady, effort.patience)
    return to_section(bursts[TOKEN_DISPATCH.name], bursts[OURS.name], steady)


def measure_signalling(effort: Effort, folder: Path) -> Section:
    """Measure a burst, by LiveKit's own token dispatch and by ours, and steady joins."""
    return asyncio.run(_measure(effort, folder))
