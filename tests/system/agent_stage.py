"""What the agent's system tests share: a real server, workers from the Procfile, API calls."""

import asyncio
import os
import re
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from livekit import api

from tests import plain_http
from tests.processes import (
    AGENT_NAME,
    API_KEY,
    API_SECRET,
    LiveKitServer,
    Process,
    free_port,
    start_from_procfile,
)

T = TypeVar("T")
SMALL = "small-agent"  # a second worker, with room for one job only


@dataclass(frozen=True)
class Worker:
    """A running worker and where its health server listens."""

    process: Process
    health_port: int

    def active_jobs(self) -> int:
        """Ask the worker itself how many jobs it runs."""
        answer = plain_http.get(f"http://127.0.0.1:{self.health_port}/worker")
        return int(answer.json().get("active_jobs", 0))

    def is_healthy(self) -> bool:
        """Ask its health server as a platform does."""
        return plain_http.get(f"http://127.0.0.1:{self.health_port}/").data == b"OK"

    def lines(self, *words: str) -> list[str]:
        """Return the log lines that contain all these words."""
        lines = self.process.output().splitlines()
        return [line for line in lines if all(word in line for word in words)]


@dataclass(frozen=True)
class Stage:
    """What the tests here share: one server, a worker for many jobs, a worker for one."""

    server: LiveKitServer
    worker: Worker
    small: Worker

    def ask(self, call: Callable[[api.LiveKitAPI], Awaitable[T]]) -> T:
        """Call LiveKit's API once."""

        async def run() -> T:
            async with api.LiveKitAPI(self.server.url, API_KEY, API_SECRET) as livekit:
                return await call(livekit)

        return asyncio.run(run())

    def dispatch(self, room_name: str, agent_name: str = AGENT_NAME, metadata: str = "") -> str:
        """Send an agent to a room and return the dispatch's id."""
        request = api.CreateAgentDispatchRequest(
            room=room_name, agent_name=agent_name, metadata=metadata
        )
        return self.ask(lambda livekit: livekit.agent_dispatch.create_dispatch(request)).id

    def has_room(self, room_name: str) -> bool:
        """Say whether LiveKit has a room of that name."""
        request = api.ListRoomsRequest(names=[room_name])
        return bool(self.ask(lambda livekit: livekit.room.list_rooms(request)).rooms)


def start_worker(environ: Mapping[str, str], log: Path) -> Worker:
    """Start the Procfile's worker on a health port of its own, with few processes kept warm."""
    port = free_port()
    environ = {**environ, "LIVEKIT_AGENT_PORT": str(port), "LIVEKIT_AGENT_IDLE_PROCESSES": "2"}
    return Worker(start_from_procfile("worker", environ, log), port)


@contextmanager
def paused(worker: Worker) -> Iterator[None]:
    """Stop the processes that wait for a job, while the worker itself goes on answering."""
    waiting = [
        int(pid) for pid in re.findall(r"process initialized pid=(\d+)", worker.process.output())
    ]
    waiting = [pid for pid in waiting if Path(f"/proc/{pid}").exists()]
    for pid in waiting:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in waiting:
            os.kill(pid, signal.SIGCONT)
