"""Two groups of web processes that share rooms over Redis, until one of them is killed."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.effort import Effort
from bench.progress import say
from bench.servers import start_ours, wait_until_ready
from bench.simulated.client import SimulatedLiveKit
from bench.simulated.measure import PROCESSES, Use, use_over
from tests.processes import Process, free_port
from tests.redis_server import RedisServer

_GROUPS = ("one", "two")
_FILLS = 50.0
# Seconds for which it is noted who looks at which room; each has been looked at by then.
_LOOKS_WITHIN = 30.0
# Seconds after the fill until webhooks count as lost, and whoever has heard of a room by them has
# left it to its own process.
_SETTLED_WITHIN = 60.0
_PATIENCE = 60.0
_POLL = 0.1


@dataclass(frozen=True, kw_only=True)
class Shares:
    """How two groups share.

    Attributes:
        rooms: How many.
        looked: The rooms that each group has looked at or asked the agent of, in one time.
        use: What both groups used together.
        redis_commands: A second, of both.
        redis_commands_idle: The same before there was a room.
        taken_over: Seconds after one was killed until the other has looked at all rooms;
            infinitely many if it has not.
    """

    rooms: int
    looked: tuple[int, int]
    use: Use
    redis_commands: float
    redis_commands_idle: float
    taken_over: float

    @property
    def redis_per_process(self) -> float:
        """Commands a second of one process that has nothing to look at."""
        return self.redis_commands_idle / (PROCESSES * len(_GROUPS))

    @property
    def redis_per_look(self) -> float:
        """Commands of one look."""
        looks = self.use.calls.get("ListParticipants", 0.0)
        return max(0.0, self.redis_commands - self.redis_commands_idle) / looks if looks else 0.0


def share(effort: Effort, folder: Path) -> Shares:
    """Measure it."""
    rooms, port = effort.rooms_shared, free_port()
    with ExitStack() as ends:
        livekit = ends.enter_context(SimulatedLiveKit(folder, f"http://127.0.0.1:{port}/webhook"))
        redis = ends.enter_context(RedisServer(folder))
        ports = (port, free_port())
        groups = [
            ends.enter_context(_group(name, at, folder, livekit, redis))
            for name, at in zip(_GROUPS, ports, strict=True)
        ]
        for group, at in zip(groups, ports, strict=True):
            wait_until_ready(group, at)
        idle = _commands_over(effort.growth_seconds, redis)
        livekit.do("fill", first=0, rooms=rooms, per_second=_FILLS)
        livekit.do("change", webhooks_are_lost=True)
        time.sleep(_SETTLED_WITHIN)
        shares = _measure(effort, livekit, redis, groups, idle)
        for group in groups:
            group.kill()
    say(f"    {shares}")
    return shares


def _group(
    name: str, port: int, folder: Path, livekit: SimulatedLiveKit, redis: RedisServer
) -> Process:
    """Start one group; a machine of its own has locks of its own, in its temporary folder."""
    machine = folder / name
    machine.mkdir()
    environ = {
        **livekit.environ(name),
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "REDIS_URL": redis.url,
        "TMPDIR": str(machine),
    }
    return start_ours(environ, folder / f"web-{name}.log")


def _measure(
    effort: Effort,
    livekit: SimulatedLiveKit,
    redis: RedisServer,
    groups: list[Process],
    idle: float,
) -> Shares:
    time.sleep(effort.growth_seconds)
    since = time.time()
    commands = _commands(redis)
    use = use_over(_LOOKS_WITHIN, livekit, *groups)
    redis_commands = (_commands(redis) - commands) / (time.time() - since)
    looked = livekit.do("looked", since=since)
    one, two = (len(looked.get(name, [])) for name in _GROUPS)
    groups[0].kill()
    return Shares(
        rooms=effort.rooms_shared,
        looked=(one, two),
        use=use,
        redis_commands=redis_commands,
        redis_commands_idle=idle,
        taken_over=_taken_over(livekit, effort.rooms_shared),
    )


def _taken_over(livekit: SimulatedLiveKit, rooms: int) -> float:
    since, until = time.time(), time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        looked = livekit.do("looked", since=since).get(_GROUPS[1], [])
        if len(looked) >= rooms:
            return time.time() - since
        time.sleep(_POLL)
    return float("inf")


def _commands_over(seconds: float, redis: RedisServer) -> float:
    before = _commands(redis)
    time.sleep(seconds)
    return (_commands(redis) - before) / seconds


def _commands(redis: RedisServer) -> int:
    return int(redis.client.info("stats")["total_commands_processed"])
