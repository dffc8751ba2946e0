"""Follows more and more rooms: with tokens that nobody joins with, and with humans."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from bench.effort import Effort
from bench.growth.deployment import Deployment, Use, deployment
from bench.progress import say
from bench.reliability.visitor import Visitor
from bench.requests import issue_tokens

T = TypeVar("T")
# Seconds. Between two joins: a join and its agent are some 0.4 s of one core's work here.
_PACE = 0.25
_SETTLE = 3.0
# A token's room is peeked at more rarely by and by.
_AT_REST = 15.0
_ALL_ATTENDED_WITHIN = 30.0
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Step:
    """What so many rooms cost.

    Attributes:
        rooms: How many.
        use: What the web processes used.
        seconds: From each human's join to the agent in the room, where there are humans.
        attended: LiveKit with exactly one agent, where there are humans.
    """

    rooms: int
    use: Use
    seconds: Sequence[float] = ()
    attended: int | None = None


def follow_tokens(effort: Effort, folder: Path) -> list[Step]:
    """Issue tokens that nobody joins with, each number of them to fresh processes."""

    async def measure(running: Deployment, *, rooms: int) -> Step:
        crowd = Crowd(running)
        await crowd.fill(1)  # whom webhooks tell of: now they are known to work
        await crowd.leave()
        await asyncio.to_thread(issue_tokens, running.web_port, rooms)
        await asyncio.sleep(_AT_REST)
        return Step(rooms=rooms, use=await running.use_over(effort.growth_seconds))

    steps = []
    for rooms in effort.rooms_followed:
        steps.append(_retrying(folder, partial(measure, rooms=rooms)))
        say(f"    {rooms} tokens issued: {steps[-1].use}")
    return steps


def follow_humans(effort: Effort, folder: Path) -> list[Step]:
    """Let humans join, more and more, each a room of their own."""

    async def measure(running: Deployment) -> list[Step]:
        crowd = Crowd(running)
        try:
            return [await crowd.step(rooms, effort) for rooms in effort.rooms_peopled]
        finally:
            await crowd.leave()

    return _retrying(folder, measure)


def _retrying(folder: Path, work: Callable[[Deployment], Coroutine[Any, Any, T]]) -> T:
    """Do it; once more when a process did not start (somebody took its port)."""
    for _ in range(_TRIES - 1):
        try:
            return _try(folder, work)
        except (AssertionError, RuntimeError, OSError) as error:
            say(f"    trying again: {str(error).splitlines()[0]}")
    return _try(folder, work)


def _try(folder: Path, work: Callable[[Deployment], Coroutine[Any, Any, T]]) -> T:
    with deployment(folder) as running:
        return asyncio.run(work(running))


class Crowd:
    """Humans, each in a room with an agent."""

    def __init__(self, running: Deployment) -> None:
        self._running = running
        self._joined: dict[str, tuple[Visitor, float]] = {}

    async def step(self, rooms: int, effort: Effort) -> Step:
        """Let so many be there, and measure once all are attended and at rest."""
        new = await self.fill(rooms)
        use = await self._running.use_over(effort.growth_seconds)
        attended_at = self._running.attended_at()
        seconds = [attended_at[room] - self._joined[room][1] for room in new if room in attended_at]
        attended = sum(len(visitor.agents) == 1 for visitor, _ in self._joined.values())
        say(f"    {rooms} rooms with a human, {attended} attended: {use}")
        return Step(rooms=rooms, use=use, seconds=seconds, attended=attended)

    async def fill(self, rooms: int) -> list[str]:
        """Let so many be there, attended and at rest; return the rooms that are new."""
        new = [f"bench-peopled-{number}" for number in range(len(self._joined), rooms)]
        async with aiohttp.ClientSession() as session:
            for room_name in new:
                await asyncio.gather(self._join(session, room_name), asyncio.sleep(_PACE))
        await self._until_attended(new)
        await asyncio.sleep(_SETTLE)
        return new

    async def leave(self) -> None:
        """Let everybody leave."""
        await asyncio.gather(*(visitor.leave() for visitor, _ in self._joined.values()))

    async def _join(self, session: aiohttp.ClientSession, room_name: str) -> None:
        url = f"http://127.0.0.1:{self._running.web_port}/token"
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"room_name": room_name})
        async with session.post(url, data=body, headers=headers) as answer:
            token = (await answer.json())["participant_token"]
        visitor, now = Visitor(), time.time()
        await visitor.join(self._running.livekit.url, token)
        self._joined[room_name] = (visitor, now)

    async def _until_attended(self, rooms: Sequence[str]) -> None:
        until = time.monotonic() + _ALL_ATTENDED_WITHIN
        for room_name in rooms:
            await self._joined[room_name][0].sees_agent(until=until)
