"""The control endpoint: POST /control/NAME with a JSON object, for whoever measures."""

import dataclasses
from typing import TYPE_CHECKING, Any

from bench.simulated.simulation import Simulation
from bench.simulated.workers import Strike

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = dict[str, Any]


class Controls:
    """What may be done from outside; the names of methods and arguments are those of the JSON."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._controls: dict[str, Callable[..., Awaitable[Answer]]] = {
            "join": self._join,
            "leave": self._leave,
            "fill": self._fill,
            "come_and_go": self._come_and_go,
            "strike": self._strike,
            "change": self._change,
            "tell": self._tell,
            "looked": self._looked,
        }

    async def do(self, name: str, fields: dict[str, Any]) -> Answer:
        """Do it, and say what came of it."""
        return await self._controls[name](**fields)

    async def _join(self, room_name: str, identity: str, attributes: dict[str, str]) -> Answer:
        joined = self._simulation.rooms.join(room_name, identity, attributes)
        return {"participant_sid": joined.participant_sid}

    async def _leave(self, room_name: str, identity: str) -> Answer:
        self._simulation.rooms.leave(room_name, identity)
        return {}

    async def _fill(self, first: int, rooms: int, per_second: float) -> Answer:
        await self._simulation.fill(first, rooms, per_second)
        return {}

    async def _come_and_go(self, per_second: float, stay: float = 0.0) -> Answer:
        self._simulation.come_and_go(per_second, stay)
        return {}

    async def _strike(self, room_name: str, how: str) -> Answer:
        self._simulation.workers.strike(room_name, Strike(how))
        return {}

    async def _change(
        self,
        delay: float | None = None,
        quota: int | None = None,
        capacity: int | None = None,
        *,
        webhooks_are_lost: bool | None = None,
    ) -> Answer:
        """Change a delay before each answer, the quota, the workers, or if webhooks go out."""
        simulation = self._simulation
        if delay is not None:
            simulation.delay = delay
        if quota is not None:
            simulation.door.quota = quota
        if capacity is not None:
            pool = dataclasses.replace(simulation.workers.pool, capacity=capacity)
            simulation.workers.pool = pool
        if webhooks_are_lost is not None:
            simulation.webhooks.are_lost = webhooks_are_lost
        return {}

    async def _tell(self) -> Answer:
        """Say what has happened so far; times in Unix seconds."""
        simulation = self._simulation
        return {
            "rooms": len(simulation.rooms.rooms),
            "jobs": simulation.workers.jobs,
            "calls": dict(simulation.told.calls),
            "refused": dict(simulation.told.refused),
            "webhooks": simulation.webhooks.sent,
            "waiting": simulation.waits.now_waiting,
            "waits": [dataclasses.asdict(wait) for wait in simulation.waits.over],
            "most_agents": simulation.waits.most_agents,
        }

    async def _looked(self, since: float) -> Answer:
        return self._simulation.told.looked_since(since)
