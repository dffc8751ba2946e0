"""Keeps more and more simulated rooms attended, and loses agents of whom no webhook tells."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.effort import Effort
from bench.growth.usage import cpu_seconds, memory_mib
from bench.progress import say
from bench.servers import start_ours, wait_until_ready
from bench.simulated.client import SimulatedLiveKit
from bench.simulated.workers import Strike
from tests.processes import Process, free_port

# As the Procfile starts them.
PROCESSES = 2
# Rooms a second that fill up: each is four webhooks.
_FILLS = 80.0
# Seconds between two agents that go, and for which those without one are waited for.
_GAP = 0.5
_PATIENCE = 90.0
_POLL = 0.2


@dataclass(frozen=True, kw_only=True)
class Use:
    """What the web processes used over some seconds.

    Attributes:
        cpu_percent: Of one core.
        memory_mib: At the end of that time.
        calls: Calls to LiveKit a second, by method.
        livekit_percent: What the simulated LiveKit itself used, of one core.
    """

    cpu_percent: float
    memory_mib: float
    calls: Mapping[str, float]
    livekit_percent: float

    @property
    def calls_per_second(self) -> float:
        """All of them."""
        return sum(self.calls.values())


@dataclass(frozen=True, kw_only=True)
class Step:
    """What so many rooms cost.

    Attributes:
        rooms: How many.
        use: What was used, without webhooks.
        gone: Seconds without an agent, where it was not listed any more.
        killed: Where it was dead, and listed for 20 s yet.
        unattended: Rooms that had none for the whole time; what they waited counts in the seconds.
        most_agents: The most that have lived in one room at the same time.
    """

    rooms: int
    use: Use
    gone: Sequence[float]
    killed: Sequence[float]
    unattended: int
    most_agents: int


def keep_attended(effort: Effort, folder: Path, rooms: int) -> Step:
    """Measure so many rooms, with fresh processes."""
    port = free_port()
    with SimulatedLiveKit(folder, f"http://127.0.0.1:{port}/webhook") as livekit:
        environ = {**livekit.environ(), "PORT": str(port), "HOST": "127.0.0.1"}
        with start_ours(environ, folder / f"web-{port}.log") as web:
            wait_until_ready(web, port)
            livekit.do("fill", first=0, rooms=rooms, per_second=_FILLS)
            step = _measure(effort, livekit, web, rooms)
            # Told to end, both would wait for what is under way.
            web.kill()
    say(f"    {rooms} rooms: {step.use}; gone: {sorted(step.gone)}")
    return step


def _measure(effort: Effort, livekit: SimulatedLiveKit, web: Process, rooms: int) -> Step:
    time.sleep(effort.growth_seconds)
    livekit.do("change", webhooks_are_lost=True)
    chosen = Random(rooms).sample(range(rooms), 2 * effort.strikes)  # noqa: S311 (no secret)
    gone, left = strike(livekit, chosen[: effort.strikes], Strike.GO)
    # By now webhooks count as lost: everything is looked at as often as it ever is.
    use = use_over(effort.growth_seconds, livekit, web)
    killed, left_too = strike(livekit, chosen[effort.strikes :], Strike.KILL)
    return Step(
        rooms=rooms,
        use=use,
        gone=gone,
        killed=killed,
        unattended=left + left_too,
        most_agents=livekit.do("tell")["most_agents"],
    )


def use_over(seconds: float, livekit: SimulatedLiveKit, *webs: Process) -> Use:
    """Let some seconds pass, and say what was used."""
    sessions = [web.popen.pid for web in webs]
    its = livekit.process.popen.pid
    started, before = time.monotonic(), livekit.do("tell")["calls"]
    cpu, its_cpu = sum(map(cpu_seconds, sessions)), cpu_seconds(its)
    time.sleep(seconds)
    after, took = livekit.do("tell")["calls"], time.monotonic() - started
    return Use(
        cpu_percent=100 * (sum(map(cpu_seconds, sessions)) - cpu) / took,
        memory_mib=sum(map(memory_mib, sessions)),
        calls={name: (number - before.get(name, 0)) / took for name, number in after.items()},
        livekit_percent=100 * (cpu_seconds(its) - its_cpu) / took,
    )


def strike(livekit: SimulatedLiveKit, rooms: Sequence[int], how: Strike) -> tuple[list[float], int]:
    """Let agents go, one after the other.

    Returns:
        The seconds that each room was without, and how many rooms were so until the end.
    """
    since = time.time()
    for number in rooms:
        livekit.do("strike", room_name=f"simulated-{number}", how=how)
        time.sleep(_GAP)
    until = time.monotonic() + _PATIENCE
    while livekit.do("tell")["waiting"] and time.monotonic() < until:
        time.sleep(_POLL)
    told = livekit.do("tell")
    over = [wait["until"] - wait["since"] for wait in told["waits"] if wait["since"] >= since]
    waiting = [time.time() - at for at in told["waiting"].values() if at >= since]
    return over + waiting, len(waiting)
