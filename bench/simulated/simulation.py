"""All parts of the simulated LiveKit, put together, and what a measurement may do to them."""

import asyncio
from dataclasses import dataclass
from random import Random

from bench.simulated.api import Api
from bench.simulated.door import Door
from bench.simulated.listing import Listing
from bench.simulated.rooms import Later, SimulatedRooms
from bench.simulated.told import Told
from bench.simulated.waits import Waits
from bench.simulated.webhooks import Webhooks
from bench.simulated.workers import Pool, Workers
from token_server.livekit.port import AgentOrder, Room
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is simulated.

    Attributes:
        api_key: The one key that is let in.
        api_secret: Its secret; seals the tickets of humans, too.
        webhook_url: Where webhooks go; "" for nowhere.
        pool: The workers.
        seed: Of all chance.
    """

    api_key: str
    api_secret: str
    webhook_url: str
    pool: Pool
    seed: int = 1


class Simulation:
    """The whole of it.

    Args:
        shape: What is simulated.
        later: Calls something after so many seconds.

    Attributes:
        delay: Seconds before every answer.
        order: Whom its humans want.
    """

    def __init__(self, shape: Shape, later: Later) -> None:
        self.rooms, self.listing, self.told = SimulatedRooms(later), Listing(), Told()
        self._later, self._chance, self.delay = later, Random(shape.seed), 0.0  # noqa: S311 (no secret)
        self.workers = Workers(self.rooms, shape.pool, later, self._chance, self._look)
        self.waits = Waits(self.rooms, self.workers.lives)
        self.webhooks = Webhooks(
            shape.webhook_url, shape.api_key, shape.api_secret, self._live_room, later
        )
        self.rooms.watchers = [self.listing, self.workers, self.waits, self.webhooks]
        self.door = Door(shape.api_key, shape.api_secret)
        self.methods = Api(self.rooms, self.listing, self.workers).methods
        self._sealer = TicketSealer(shape.api_secret)
        self.order = AgentOrder(agent_name=shape.pool.agent_name)
        self._crowd: asyncio.Task[None] | None = None

    def enter(self, room_name: str) -> None:
        """Let a human join who has a token of the token server's."""
        identity = f"human-of-{room_name}"
        ticket = self._sealer.seal(Ticket(room_name, identity, self.order))
        self.rooms.join(room_name, identity, {TICKET_ATTRIBUTE: ticket})

    def furnish(self, room_name: str) -> None:
        """Let a room have an agent, and then its human."""
        self.rooms.create_dispatch(room_name, self.order)
        self._later(self.workers.pool.slowest + 0.01, lambda: self.enter(room_name))

    async def fill(self, first: int, rooms: int, per_second: float) -> None:
        """Let there be so many rooms with an agent and a human."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        for number in range(rooms):
            self.furnish(f"simulated-{first + number}")
            await asyncio.sleep(started + number / per_second - loop.time())
        await asyncio.sleep(self.workers.pool.slowest + 0.1)

    def come_and_go(self, per_second: float, stay: float) -> None:
        """Let humans come to rooms of their own, from now on, and leave after so many seconds."""
        if self._crowd:
            self._crowd.cancel()
        self._crowd = None
        if per_second:
            loop = asyncio.get_running_loop()
            self._crowd = loop.create_task(self._keep_coming(per_second, stay))

    async def _keep_coming(self, per_second: float, stay: float) -> None:
        number = 0
        while True:
            room_name = f"passing-{number}"
            self.enter(room_name)
            self._later(stay, lambda name=room_name: self._go(name))  # type: ignore[misc]  # a default
            number += 1
            await asyncio.sleep(self._chance.expovariate(per_second))

    def _go(self, room_name: str) -> None:
        for human in self.rooms.humans(room_name):
            self.rooms.leave(room_name, human.participant_identity)

    def _look(self, room_name: str) -> None:
        self.waits.look(room_name)

    def _live_room(self, room_name: str) -> Room | None:
        found = self.rooms.rooms.get(room_name)
        return found.room if found else None
