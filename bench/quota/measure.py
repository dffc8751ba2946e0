"""Calls that are held, tokens that nobody joins with, and joins, through a proxy with a quota."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiohttp

from bench.effort import Effort
from bench.figures import Section
from bench.progress import say
from bench.quota.proxy import QuotaProxy, quota_proxy
from bench.quota.table import Joined, Seen, to_section
from bench.reliability.visitor import Visitor
from bench.servers import start_livekit, start_ours, wait_until_ready
from tests.processes import Process, free_port

QUOTA, OURS = 1_000, 900
_LIGHT_WORKER = ("python", "-m", "bench.light_worker", "start")
_REGISTERED_WITHIN = 60.0
# Seconds. From one join to the next, at first and then; how long those of then stay; and for how
# long an agent is waited for.
_PACE, _JOIN_EVERY, _STAYS = 0.25, 3.0, 9.0
_PATIENCE = 15.0


def measure_quota(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure it."""
    say(f"quota: {effort.quota_calls} calls, {effort.quota_seconds:.0f} s, {QUOTA} a minute")
    return [asyncio.run(_measure(effort, folder))]


async def _measure(effort: Effort, folder: Path) -> Section:
    async with _deployment(folder) as running, aiohttp.ClientSession() as session:
        callers = Callers(running, session)
        try:
            for number in range(effort.quota_calls):
                await callers.fetch(f"bench-nobody-{number}")
            for number in range(effort.quota_calls):
                joining = callers.join(f"bench-held-{number}")
                await asyncio.gather(joining, asyncio.sleep(_PACE))
            say("    all calls are held, and joins go on")
            ends_at = time.monotonic() + effort.quota_seconds
            while time.monotonic() < ends_at:
                callers.visit(f"bench-visit-{len(callers.visits)}")
                await asyncio.sleep(_JOIN_EVERY)
            await asyncio.gather(*callers.visits)
        finally:
            await callers.leave()
        return to_section(effort.quota_calls, callers.seen())


@dataclass(frozen=True, kw_only=True)
class Running:
    """What runs."""

    proxy: QuotaProxy
    livekit_url: str
    web_port: int


@dataclass
class Callers:
    """Humans, and what they see."""

    running: Running
    session: aiohttp.ClientSession
    visits: list[asyncio.Task[None]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    tokens: int = 0
    _joined: dict[str, Visitor] = field(default_factory=dict)
    _held: list[Visitor] = field(default_factory=list)

    async def fetch(self, room_name: str) -> str | None:
        """Fetch a token; None if there is none, which is noted."""
        url = f"http://127.0.0.1:{self.running.web_port}/token"
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"room_name": room_name})
        self.tokens += 1
        async with self.session.post(url, data=body, headers=headers) as answer:
            if answer.status == HTTPStatus.CREATED:
                return str((await answer.json())["participant_token"])
            self.refused.append(answer.status)
            return None

    async def join(self, room_name: str) -> Visitor | None:
        """Join a room of one's own, and stay."""
        if (token := await self.fetch(room_name)) is None:
            return None
        visitor = Visitor()
        self._held.append(visitor)
        await visitor.join(self.running.livekit_url, token)
        self._joined[room_name] = visitor
        return visitor

    def visit(self, room_name: str) -> None:
        """Join beside all else, and leave after a while."""
        self.visits.append(asyncio.create_task(self._visit(room_name)))

    async def _visit(self, room_name: str) -> None:
        if visitor := await self.join(room_name):
            await visitor.sees_agent(until=time.monotonic() + _PATIENCE)
            await asyncio.sleep(_STAYS)
            await visitor.leave()

    async def leave(self) -> None:
        """Let everybody leave."""
        await asyncio.gather(*(visitor.leave() for visitor in self._held))

    def seen(self) -> Seen:
        """Return what was seen."""
        proxy = self.running.proxy
        return Seen(
            tokens=self.tokens,
            refused=self.refused,
            joined=[
                Joined(at=visitor.joined_at, dispatched_at=proxy.dispatched_at.get(room_name))
                for room_name, visitor in self._joined.items()
            ],
            minutes=proxy.minutes(),
            methods=proxy.methods(),
            too_many=proxy.refused,
        )


@asynccontextmanager
async def _deployment(folder: Path) -> AsyncIterator[Running]:
    """Start ours behind the proxy; clients, the worker and webhooks go past it."""
    web_port, proxy_port = free_port(), free_port()
    livekit = start_livekit(folder, webhook_urls=[f"http://127.0.0.1:{web_port}/webhook"])
    environ = livekit.environ() | {"PORT": str(web_port), "HOST": "127.0.0.1"}
    environ |= {"LIVEKIT_AGENT_PORT": str(free_port())}
    behind = {
        "LIVEKIT_URL": f"ws://127.0.0.1:{proxy_port}",
        "LIVEKIT_PUBLIC_URL": livekit.url,
        "LIVEKIT_REQUESTS_PER_MINUTE": str(OURS),
    }
    with livekit:
        async with quota_proxy(proxy_port, livekit.url, QUOTA) as proxy:
            with (
                start_ours(environ | behind, folder / "web.log") as web,
                Process(_LIGHT_WORKER, environ, folder / "worker.log") as worker,
            ):
                await asyncio.to_thread(wait_until_ready, web, web_port)
                await asyncio.to_thread(
                    worker.wait_for_output, "registered worker", within=_REGISTERED_WITHIN
                )
                yield Running(proxy=proxy, livekit_url=livekit.url, web_port=web_port)
                # Told to end, a worker waits for its jobs to, and a server for its rooms.
                worker.kill()
                livekit.process.kill()
