"""Scenarios in which no process fails: what browsers and people do."""

import asyncio
import time

from livekit import api

from bench.reliability.outcomes import Outcome
from bench.reliability.stage import Stage

_RELOAD_SECONDS = 1.5
_FIRST_AGENT_SECONDS = 4.0
_BURST = 12


async def fresh(stage: Stage) -> Outcome:
    """Join a room that does not exist."""
    room_name = stage.new_room()
    return await stage.outcome(room_name, [await stage.join(room_name)])


async def live(stage: Stage) -> Outcome:
    """Join a room that somebody made before, without an agent (livekit#4390)."""
    room_name = stage.new_room()
    await stage.api.room.create_room(api.CreateRoomRequest(name=room_name))
    return await stage.outcome(room_name, [await stage.join(room_name)])


async def reload(stage: Stage) -> Outcome:
    """Leave a room and its agent, and be back 1.5 s later."""
    room_name = stage.new_room()
    before = await stage.join(room_name)
    await before.sees_agent(until=time.monotonic() + _FIRST_AGENT_SECONDS)
    await before.leave()
    await asyncio.sleep(_RELOAD_SECONDS)
    return await stage.outcome(room_name, [await stage.join(room_name)])


async def two_humans(stage: Stage) -> Outcome:
    """Join a fresh room with somebody else, at the same moment."""
    room_name = stage.new_room()
    tokens = [await stage.token(room_name, identity) for identity in ("alice", "bob")]
    visitors = await asyncio.gather(*map(stage.enter, tokens))
    return await stage.outcome(room_name, visitors)


async def burst(stage: Stage) -> list[Outcome]:
    """Join twelve fresh rooms in the same instant, whatever the number of rounds."""
    rooms = [stage.new_room() for _ in range(_BURST)]
    tokens = [await stage.token(room_name) for room_name in rooms]

    async def join(room_name: str, token: str) -> Outcome:
        return await stage.outcome(room_name, [await stage.enter(token)])

    return list(await asyncio.gather(*map(join, rooms, tokens)))


async def warm_up(stage: Stage) -> None:
    """Join and leave once, so that nothing measured is the first."""
    visitor = await stage.join(stage.new_room())
    await visitor.sees_agent(until=time.monotonic() + _FIRST_AGENT_SECONDS)
    await visitor.leave()
