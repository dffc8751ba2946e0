"""Calls with an agent that is heard, and where its process runs."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from bench.progress import say
from bench.reliability.stage import Stage
from bench.silence.agent_processes import agent_process
from bench.silence.listener import Listener
from tests.processes import Process

_FIRST_AGENT_SECONDS = 20.0
_LOGGED_WITHIN = 5.0
# So long a call goes well: an agent that has just come may still be coming up.
_SETTLED_SECONDS = 3.0
# A worker warms processes up once it is registered.
_WARM_SECONDS = 5.0
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Call:
    """A human who hears an agent.

    Attributes:
        room_name: Where.
        human: Who listens.
        agents: The identities that have been heard.
        worker: The agent's worker.
        process: The agent's own process.
    """

    room_name: str
    human: Listener
    agents: frozenset[str]
    worker: Process
    process: int

    async def silence_since(self, zero: float, patience: float) -> float | None:
        """Return the seconds from then to somebody new's first sound; None: nobody's."""
        at = await self.human.hears(until=zero + patience, other_than=self.agents)
        return None if at is None else at - zero

    def send(self, signal_number: int) -> None:
        """Send a signal to the agent's process."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal_number)

    def send_to_worker(self, signal_number: int) -> None:
        """Send one to every process of its worker."""
        with suppress(ProcessLookupError):
            os.killpg(self.worker.popen.pid, signal_number)


async def start_workers(
    stage: Stage, count: int, settings: Mapping[str, str] = MappingProxyType({})
) -> list[Process]:
    """Start workers one after the other, and wait until the last has warmed up."""
    workers = [await stage.start_worker(settings=settings) for _ in range(count)]
    await asyncio.sleep(_WARM_SECONDS)
    return workers


async def begin_call(stage: Stage, workers: Sequence[Process]) -> Call:
    """Join, hear the agent, and let the call go on for a while; once more if none was heard.

    Raises:
        RuntimeError: No agent was heard in any of the calls, or no worker's log has it.
    """
    for _ in range(_TRIES - 1):
        try:
            return await _try_call(stage, workers)
        except RuntimeError as error:
            say(f"    a call did not begin well: {error}")
    return await _try_call(stage, workers)


async def _try_call(stage: Stage, workers: Sequence[Process]) -> Call:
    room_name, human = stage.new_room(), Listener()
    try:
        await human.join(stage.livekit.url, await stage.token(room_name))
        await _hear_first(human, room_name)
        worker, process = await _whereabouts(workers, room_name)
        await asyncio.sleep(_SETTLED_SECONDS)
    except BaseException:
        await human.leave()
        raise
    agents = frozenset(human.first_heard)
    return Call(room_name=room_name, human=human, agents=agents, worker=worker, process=process)


async def _hear_first(human: Listener, room_name: str) -> None:
    if await human.hears(until=time.monotonic() + _FIRST_AGENT_SECONDS) is None:
        raise RuntimeError(f"no agent was heard in {room_name}")


async def _whereabouts(workers: Sequence[Process], room_name: str) -> tuple[Process, int]:
    until = time.monotonic() + _LOGGED_WITHIN
    while time.monotonic() < until:
        for worker in workers:
            if process := agent_process(worker.output(), room_name):
                return worker, process
        await asyncio.sleep(0.05)
    raise RuntimeError(f"no worker says that it has an agent in {room_name}")
