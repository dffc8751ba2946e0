"""Humans and agents who join rooms as far as LiveKit's signalling, and exchange no media.

Dozens of them at once take next to nothing of the machine, so that what is measured is LiveKit and
the token server.
"""

import asyncio
from typing import Self

import aiohttp
from livekit import api
from livekit.protocol import agent

from tests.processes import AGENT_NAME, API_KEY, API_SECRET

_PROTOCOL = "16"
_HEARTBEAT_SECONDS = 5.0
_REGISTERED_WITHIN = 10.0


class SignallingClient:
    """Somebody who has said that they join."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._reading: asyncio.Task[None] | None = None

    async def join(self, url: str, token: str) -> None:
        """Join as far as LiveKit's first word; stay until `leave`."""
        params = {"access_token": token, "protocol": _PROTOCOL, "auto_subscribe": "0"}
        socket = await self._session.ws_connect(
            f"{url}/rtc", params=params, heartbeat=_HEARTBEAT_SECONDS
        )
        await socket.receive()
        self._reading = asyncio.create_task(_read(socket))

    async def leave(self) -> None:
        """Close the connection."""
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)


async def _read(socket: aiohttp.ClientWebSocketResponse) -> None:
    async with socket:
        async for _ in socket:
            pass


class SignallingWorker:
    """A worker that takes every job at once; registered while the block runs."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url
        self._agents: list[SignallingClient] = []
        self._joining: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Register."""
        grants = api.VideoGrants(agent=True)
        token = api.AccessToken(API_KEY, API_SECRET).with_grants(grants).to_jwt()
        headers = {"Authorization": f"Bearer {token}"}
        self._socket = await self._session.ws_connect(f"{self._url}/agent", headers=headers)
        request = agent.RegisterWorkerRequest(type=agent.JobType.JT_ROOM, agent_name=AGENT_NAME)
        await self._say(agent.WorkerMessage(register=request))
        await self._socket.receive_bytes(timeout=_REGISTERED_WITHIN)
        self._working = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Be gone, with all agents."""
        for task in (self._working, *self._joining):
            task.cancel()
        await asyncio.gather(self._working, *self._joining, return_exceptions=True)
        await asyncio.gather(*(client.leave() for client in self._agents))
        await self._socket.close()

    async def _work(self) -> None:
        async for message in self._socket:
            told = agent.ServerMessage.FromString(message.data)
            if told.HasField("availability"):
                await self._take(told.availability.job)
            elif told.HasField("assignment"):
                joining = asyncio.create_task(self._join(told.assignment.token))
                self._joining.add(joining)
                joining.add_done_callback(self._joining.discard)

    async def _take(self, job: agent.Job) -> None:
        answer = agent.AvailabilityResponse(
            job_id=job.id,
            available=True,
            participant_identity=f"agent-{job.id}",
            participant_attributes={"lk.agent.name": AGENT_NAME},
        )
        await self._say(agent.WorkerMessage(availability=answer))

    async def _join(self, token: str) -> None:
        client = SignallingClient(self._session)
        self._agents.append(client)
        await client.join(self._url, token)

    async def _say(self, message: agent.WorkerMessage) -> None:
        await self._socket.send_bytes(message.SerializeToString())
