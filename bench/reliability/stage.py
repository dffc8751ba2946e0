"""One strategy's deployment: livekit-server, its token server, workers, and humans who join."""

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Self

import aiohttp
from livekit import api

from bench.reliability.outcomes import Outcome
from bench.reliability.strategies import Strategy
from bench.reliability.visitor import Visitor
from bench.servers import start_livekit, wait_until_ready
from tests.processes import (
    AGENT_NAME,
    API_KEY,
    API_SECRET,
    Process,
    free_port,
)
from tests.system.webhook_relay import WebhookRelay

# Seconds after which an agent that has come must still be there, and the only one.
HOLD = 2.0
_REGISTERED_WITHIN = 90.0
_MAX_JOBS = 100


class Stage:
    """Everything that takes part; all of it ends with the block.

    `patience`: after so many seconds, a join that has no agent is one without.
    """

    def __init__(self, strategy: Strategy, folder: Path, patience: float) -> None:
        self.strategy = strategy
        self.patience = patience
        self._folder = folder
        self._numbers = itertools.count()
        self._ends = AsyncExitStack()
        self._web_port = free_port()
        self.relay = WebhookRelay()

    async def __aenter__(self) -> Self:
        """Start livekit-server and the strategy's token server."""
        try:
            await self._start()
        except BaseException:
            await self._ends.aclose()
            raise
        return self

    async def _start(self) -> None:
        self._ends.enter_context(self.relay)
        self.relay.target = f"http://127.0.0.1:{self._web_port}/webhook"
        urls = [self.relay.url] if self.strategy.start_web else []
        livekit = await asyncio.to_thread(start_livekit, self._folder, webhook_urls=urls)
        self.livekit = self._ends.enter_context(livekit)
        # Told to end, a server waits for its rooms to, and a worker for its jobs.
        self._ends.callback(livekit.process.kill)
        self.api = api.LiveKitAPI(self.livekit.url, API_KEY, API_SECRET)
        self._ends.push_async_callback(self.api.aclose)
        self._http = await self._ends.enter_async_context(aiohttp.ClientSession())
        await self.start_web()

    async def __aexit__(self, *_: object) -> None:
        """Stop everything."""
        await self._ends.aclose()

    async def start_web(self) -> None:
        """Start the strategy's token server, if it has one, and wait until it is ready."""
        if self.strategy.start_web is None:
            return
        environ = {**self.livekit.environ(), **self.strategy.settings}
        environ |= {"PORT": str(self._web_port), "HOST": "127.0.0.1"}
        self.web = self.strategy.start_web(environ, self._folder / f"web-{self._web_port}.log")
        self._ends.callback(self.web.kill)
        await asyncio.to_thread(wait_until_ready, self.web, self._web_port)

    async def start_worker(
        self, max_jobs: int = _MAX_JOBS, settings: Mapping[str, str] = MappingProxyType({})
    ) -> Process:
        """Start a worker, and wait until it is registered."""
        port = str(free_port())
        environ = self.livekit.environ() | {
            # Ours tells the token server of itself, on the same machine.
            "PORT": str(self._web_port),
            "LIVEKIT_AGENT_PORT": port,
            "LIVEKIT_AGENT_IDLE_PROCESSES": "4",
            "LIVEKIT_AGENT_MAX_JOBS": str(max_jobs),
        }
        log = self._folder / f"worker-{port}.log"
        worker = self.strategy.start_worker({**environ, **settings}, log)
        self._ends.callback(worker.kill)
        await asyncio.to_thread(
            worker.wait_for_output, "registered worker", within=_REGISTERED_WITHIN
        )
        return worker

    def new_room(self) -> str:
        """Return a name that no room has had."""
        return f"bench-{next(self._numbers)}"

    async def token(self, room_name: str, identity: str = "alice") -> str:
        """Get a token in the strategy's way."""
        if self.strategy.mint:
            return await self.strategy.mint(self.api, room_name, identity)
        body = {"room_name": room_name, "participant_identity": identity}
        url = f"http://127.0.0.1:{self._web_port}/token"
        async with self._http.post(url, json=body) as answer:
            answer.raise_for_status()
            return str((await answer.json())["participant_token"])

    async def join(self, room_name: str, identity: str = "alice") -> Visitor:
        """Get a token and join with it."""
        return await self.enter(await self.token(room_name, identity))

    async def enter(self, token: str) -> Visitor:
        """Join with a token."""
        visitor = Visitor()
        self._ends.push_async_callback(visitor.leave)
        await visitor.join(self.livekit.url, token)
        return visitor

    async def outcome(
        self, room_name: str, visitors: Sequence[Visitor], zero: float | None = None
    ) -> Outcome:
        """See how it ends for those who have joined a room; then they leave.

        Seconds count from `zero`, or from the first join, to the coming of the agent who stays.
        """
        zero = min(visitor.joined_at for visitor in visitors) if zero is None else zero
        until = max(zero, time.monotonic()) + self.patience
        await asyncio.gather(*(visitor.keeps_agent(until=until, hold=HOLD) for visitor in visitors))
        agents = await self.count_agents(room_name)
        came = [visitor.agent_came_at for visitor in visitors]
        await asyncio.gather(*(visitor.leave() for visitor in visitors))
        times = [at for at in came if at is not None]
        seconds = max(0.0, max(times) - zero) if len(times) == len(came) else None
        return Outcome(seconds=seconds, agents=agents)

    async def count_agents(self, room_name: str) -> int:
        """Ask LiveKit how many agents of our name are in a room."""
        try:
            listed = await self.api.room.list_participants(
                api.ListParticipantsRequest(room=room_name)
            )
        except api.TwirpError as error:
            if error.code != api.TwirpErrorCode.NOT_FOUND:
                raise
            return 0
        return sum(
            one.kind == api.ParticipantInfo.Kind.AGENT
            and one.attributes.get("lk.agent.name") == AGENT_NAME
            for one in listed.participants
        )
