"""Two machines on loopback: each has a livekit-server node, a web and a worker of its own.

Their folders for temporary files differ, so the only thing that the webs share is Redis; another
Redis joins the LiveKit nodes.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.processes import PLAINLY, LiveKitServer, Process
from tests.redis_server import RedisServer
from tests.system.deployment import OPERATOR_KEY, Deployment


class Machine(Deployment):
    """One of them. All webs know LiveKit by the same URL, as behind a load balancer."""

    def __init__(self, folder: Path, livekit_redis: RedisServer, redis_url: str) -> None:
        folder.mkdir()
        (folder / "tmp").mkdir()
        settings = {
            "TMPDIR": str(folder / "tmp"),
            "REDIS_URL": redis_url,
            "OPERATOR_KEY": OPERATOR_KEY,
        }
        super().__init__(folder, settings)
        self._livekit_redis = livekit_redis
        self.livekit_url = ""

    def announce(self, machines: Sequence["Machine"]) -> None:
        """Have this machine's node send its webhooks to every web."""
        self._webhook_urls = [f"{machine.web_url}/webhook" for machine in machines]

    def start_web(
        self, how: str = PLAINLY, *, hears_webhooks: bool = True, **settings: str
    ) -> Process:
        """Start `web`, and wait until it answers."""
        self.livekit_url = self.livekit_url or self.livekit.url
        settings = {"LIVEKIT_URL": self.livekit_url} | settings
        return super().start_web(how, hears_webhooks=hears_webhooks, **settings)

    def readiness(self) -> tuple[int, str]:
        """Return the status of /readyz, and what it says of Redis."""
        ready = self.http.get("/readyz")
        return ready.status, ready.json().get("redis", "nothing")

    def said(self, message: str) -> int:
        """Return how often this machine's log says something."""
        return self.web.output().count(message)

    def _livekit(self) -> LiveKitServer:
        address = f"127.0.0.1:{self._livekit_redis.port}"
        return LiveKitServer(self._folder, webhook_urls=self._webhook_urls, redis_address=address)


class TwoMachines:
    """The whole of it. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            livekit_redis = self._redis("livekit-redis", ends)
            self.redis = self._redis("redis", ends)
            self.machines = [
                Machine(self._folder / name, livekit_redis, self.redis.url) for name in ("a", "b")
            ]
            for machine in self.machines:
                machine.announce(self.machines)
                machine.livekit_url = self.machines[0].livekit_url
                ends.enter_context(machine).with_worker()
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        # A worker that is stopped waits for its calls to end, whoever joined them.
        self.leave()
        self._ends.close()

    def jobs_wanted(self, room_name: str) -> range:
        """Return how many jobs all workers have had for the room, with and without hedges."""
        most = sum(machine.job_requests(room_name) for machine in self.machines)
        hedges = sum(machine.hedges(room_name) for machine in self.machines)
        return range(most - hedges, most + 1)

    def members(self) -> set[object]:
        """Return the processes that Redis knows to be there."""
        keys = self.redis.client.scan_iter("*:members")
        return {member for key in keys for member in self.redis.client.zrange(key, 0, -1)}

    def leave(self) -> None:
        """Let everybody leave, whichever node they joined."""
        for machine in self.machines:
            machine.humans.leave()

    def _redis(self, name: str, ends: ExitStack) -> RedisServer:
        folder = self._folder / name
        folder.mkdir()
        return ends.enter_context(RedisServer(folder))
