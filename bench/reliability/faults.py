"""Scenarios in which a process is busy, late, killed or down; all rounds share the fault."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from livekit import api

from bench.reliability.outcomes import Outcome
from bench.reliability.stage import Stage
from bench.reliability.visitor import Visitor
from tests.processes import AGENT_NAME, Process

_RUNNING_JOB = re.compile(r"in the room.*?\bpid\W+(\d+)")
_PACE = 0.2
# Workers tell LiveKit their load every 2.5 s: until then a full one is offered more.
_REPORT_SECONDS = 3.0
_BUSY_SECONDS = 6.0
_LATE_SECONDS = 3.0
_DOWN_SECONDS = 5.0
# A killed agent stays listed for some 20 s (livekit-behaviour 47).
_LINGERING_SECONDS = 40.0
_ALL_JOINED_SECONDS = 30.0


async def busy_worker(stage: Stage, rounds: int) -> list[Outcome]:
    """Every place of the worker is taken at the join, and free 6 s later; zero is then."""
    await stage.start_worker(max_jobs=rounds)
    occupied = [f"occupied-{number}" for number in range(rounds)]
    for room_name in occupied:
        order = api.CreateAgentDispatchRequest(room=room_name, agent_name=AGENT_NAME)
        await stage.api.agent_dispatch.create_dispatch(order)
    await _until_all_have_agents(stage, occupied)
    await asyncio.sleep(_REPORT_SECONDS)
    joined = await _join_all(stage, rounds)
    await asyncio.sleep(_BUSY_SECONDS)
    for room_name in occupied:
        await stage.api.room.delete_room(api.DeleteRoomRequest(room=room_name))
    return await _outcomes(stage, joined, time.monotonic())


async def late_worker(stage: Stage, rounds: int) -> list[Outcome]:
    """The only worker is started 3 s after the join; zero is when it is registered."""
    joined = await _join_all(stage, rounds)
    await asyncio.sleep(_LATE_SECONDS)
    await stage.start_worker()
    return await _outcomes(stage, joined, time.monotonic())


async def down_at_the_join(stage: Stage, rounds: int) -> list[Outcome]:
    """The token server is killed after the token, and back 5 s after the join; zero is then."""
    await stage.start_worker()
    rooms = [stage.new_room() for _ in range(rounds)]
    tokens = [await stage.token(room_name) for room_name in rooms]
    await asyncio.to_thread(stage.web.kill)
    joined = {room: await stage.enter(token) for room, token in zip(rooms, tokens, strict=True)}
    await asyncio.sleep(_DOWN_SECONDS)
    await stage.start_web()
    return await _outcomes(stage, joined, time.monotonic())


async def killed_worker(stage: Stage, rounds: int) -> list[Outcome]:
    """The worker is killed mid call, with another at hand; zero: its agents are seen leaving."""

    async def kill(worker: Process) -> None:
        await stage.start_worker()
        await asyncio.to_thread(worker.kill)

    return await _after_killing(stage, rounds, kill)


async def killed_agents(stage: Stage, rounds: int) -> list[Outcome]:
    """The agents' processes are killed mid call; zero: the agents are seen leaving."""

    async def kill(worker: Process) -> None:
        for pid in map(int, _RUNNING_JOB.findall(worker.output())):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    return await _after_killing(stage, rounds, kill)


async def _after_killing(
    stage: Stage, rounds: int, kill: Callable[[Process], Awaitable[None]]
) -> list[Outcome]:
    worker = await stage.start_worker()
    joined = await _join_all(stage, rounds)
    until = time.monotonic() + stage.patience
    await asyncio.gather(*(visitor.sees_agent(until=until) for visitor in joined.values()))
    agents = {room_name: visitor.agents for room_name, visitor in joined.items()}
    if not any(agents.values()):
        return [Outcome(seconds=None, agents=0)] * rounds
    await kill(worker)

    async def see(room_name: str, visitor: Visitor) -> Outcome:
        until = time.monotonic() + _LINGERING_SECONDS
        await visitor.sees_leaving(agents[room_name], until=until)
        return await stage.outcome(room_name, [visitor], time.monotonic())

    return list(await asyncio.gather(*(see(*each) for each in joined.items())))


async def _join_all(stage: Stage, rounds: int) -> dict[str, Visitor]:
    joined = {}
    for _ in range(rounds):
        room_name = stage.new_room()
        joined[room_name] = await stage.join(room_name)
        await asyncio.sleep(_PACE)
    return joined


async def _outcomes(stage: Stage, joined: dict[str, Visitor], zero: float) -> list[Outcome]:
    outcomes = (stage.outcome(room_name, [visitor], zero) for room_name, visitor in joined.items())
    return list(await asyncio.gather(*outcomes))


async def _until_all_have_agents(stage: Stage, rooms: list[str]) -> None:
    async with asyncio.timeout(_ALL_JOINED_SECONDS):
        for room_name in rooms:
            while not await stage.count_agents(room_name):  # noqa: ASYNC110 (LiveKit tells nobody)
                await asyncio.sleep(0.05)
