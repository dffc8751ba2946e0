"""Ours with a light worker, and what its web processes use."""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.growth.calls import CallCounter, counting
from bench.growth.usage import cpu_seconds, memory_mib
from bench.servers import start_livekit, start_ours, wait_until_ready
from tests.processes import LiveKitServer, Process, free_port

_LIGHT_WORKER = ("python", "-m", "bench.light_worker", "start")
_ATTENDED = re.compile(r"^attended (\S+) (\S+)$", re.MULTILINE)
_REGISTERED_WITHIN = 60.0


@dataclass(frozen=True, kw_only=True)
class Use:
    """What the web processes used over some seconds.

    Attributes:
        cpu_percent: Of one core.
        memory_mib: At the end of that time.
        calls_per_second: API calls to LiveKit.
    """

    cpu_percent: float
    memory_mib: float
    calls_per_second: float


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The processes."""

    livekit: LiveKitServer
    web: Process
    web_port: int
    worker: Process
    calls: CallCounter

    async def use_over(self, seconds: float) -> Use:
        """Let some seconds pass and say what the web processes used; nobody else calls LiveKit."""
        session = self.web.popen.pid
        started, cpu, calls = time.monotonic(), cpu_seconds(session), self.calls.total()
        await asyncio.sleep(seconds)
        took = time.monotonic() - started
        return Use(
            cpu_percent=100 * (cpu_seconds(session) - cpu) / took,
            memory_mib=memory_mib(session),
            calls_per_second=(self.calls.total() - calls) / took,
        )

    def attended_at(self) -> dict[str, float]:
        """Return when the agent was in its room, by room, in seconds since 1970."""
        return {room: float(at) for room, at in _ATTENDED.findall(self.worker.output())}


@contextmanager
def deployment(
    folder: Path, *, webhook_events: Sequence[str] = (), **settings: str
) -> Iterator[Deployment]:
    """Start everything, with these settings changed, and stop it.

    Args:
        folder: For files and logs.
        webhook_events: What LiveKit's webhooks may tell of; all, if none is named.
        settings: Of ours.
    """
    port = free_port()
    with counting() as calls:
        livekit = start_livekit(
            folder,
            webhook_urls=[f"http://127.0.0.1:{port}/webhook"],
            webhook_events=webhook_events,
        )
    environ = livekit.environ() | {"PORT": str(port), "HOST": "127.0.0.1"}
    environ |= {"LIVEKIT_AGENT_PORT": str(free_port())} | settings
    with (
        livekit,
        start_ours(environ, folder / f"web-{port}.log") as web,
        Process(_LIGHT_WORKER, environ, folder / f"worker-{port}.log") as worker,
    ):
        wait_until_ready(web, port)
        worker.wait_for_output("registered worker", within=_REGISTERED_WITHIN)
        yield Deployment(livekit=livekit, web=web, web_port=port, worker=worker, calls=calls)
        # Told to end, a worker waits for its jobs to, and a server for its rooms.
        worker.kill()
        livekit.process.kill()
