"""Which dispatches LiveKit offers to a worker that has a deployment of its own."""

import asyncio
import uuid
from pathlib import Path

import aiohttp
import pytest
from livekit import api
from livekit.protocol import agent

from tests.processes import API_KEY, API_SECRET, LiveKitServer
from token_server.livekit.port import AgentOrder
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit

pytestmark = pytest.mark.live
BY_NAME = AgentOrder(agent_name="tutor")
CANARY = AgentOrder(agent_name="tutor", deployment="canary", attributes={"table": "7"})


class Worker:
    """A worker that is offered jobs and takes none, in LiveKit's own words."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._connection = connection

    async def register(self, deployment: str) -> None:
        """Register under the name, with this deployment."""
        request = agent.RegisterWorkerRequest(
            type=agent.JobType.JT_ROOM, agent_name=BY_NAME.agent_name, deployment=deployment
        )
        await self._connection.send_bytes(agent.WorkerMessage(register=request).SerializeToString())
        await self._next()

    async def next_job(self) -> agent.Job:
        """Return the next job that is offered."""
        while not (message := await self._next()).HasField("availability"):
            pass
        return message.availability.job

    async def _next(self) -> agent.ServerMessage:
        return agent.ServerMessage.FromString(await self._connection.receive_bytes(timeout=10))


async def offered(server: LiveKitServer, *orders: AgentOrder) -> list[agent.Job]:
    """Return what a canary is offered of these, up to the last one."""
    grants = api.VideoGrants(agent=True)
    token = api.AccessToken(API_KEY, API_SECRET).with_grants(grants).to_jwt()
    headers = {"Authorization": f"Bearer {token}"}
    livekit = TwirpLiveKit(Twirp(server.url, API_KEY, API_SECRET))
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{server.url}/agent", headers=headers) as connection,
    ):
        worker = Worker(connection)
        await worker.register("canary")
        for order in orders:
            room_name = f"room-{uuid.uuid4()}"
            dispatch = await asyncio.to_thread(livekit.create_dispatch, room_name, order)
        jobs = [await worker.next_job()]
        while jobs[-1].dispatch_id != dispatch.dispatch_id:
            jobs.append(await worker.next_job())
    return jobs


def test_a_worker_with_a_deployment_is_sent_for_by_it_and_not_by_its_name_alone(
    tmp_path: Path,
) -> None:
    """A server that knows no deployments (1.11.0) offers it both."""
    with LiveKitServer(tmp_path) as server:
        jobs = asyncio.run(offered(server, BY_NAME, CANARY))

    told = [(job.agent_name, job.deployment, dict(job.attributes)) for job in jobs]
    forgetful: list[tuple[str, str, dict[str, str]]] = [("tutor", "", {})] * 2
    assert told in ([("tutor", "canary", {"table": "7"})], forgetful)
