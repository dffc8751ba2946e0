"""Which humans are without an agent that lives, since when, and for how long it lasted. No I/O."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.simulated.rooms import RoomWatcher, SimulatedRooms
from token_server.livekit.port import Participant, Room


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A human was without an agent that lives, from then to then (Unix seconds)."""

    room_name: str
    since: float
    until: float


class Waits(RoomWatcher):
    """Knows it of every room.

    Args:
        rooms: The rooms.
        lives: Whether an agent that is listed lives.
        clock: Unix seconds.
    """

    def __init__(
        self,
        rooms: SimulatedRooms,
        lives: Callable[[Participant], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rooms, self._lives, self._clock = rooms, lives, clock
        self.now_waiting: dict[str, float] = {}
        self.over: list[Wait] = []
        self.most_agents = 0  # the most agents that lived in one room at the same time

    def changed(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        """Look at a room in which somebody has come or gone."""
        del participant, is_here
        self.look(room_name)

    def room_ended(self, room: Room) -> None:
        """Nobody waits there any more."""
        self.now_waiting.pop(room.room_name, None)

    def look(self, room_name: str) -> None:
        """Look at a room in which an agent may have died."""
        living = sum(map(self._lives, self._rooms.agents(room_name)))
        self.most_agents = max(self.most_agents, living)
        if self._rooms.humans(room_name) and not living:
            self.now_waiting.setdefault(room_name, self._clock())
        elif (since := self.now_waiting.pop(room_name, None)) and living:
            self.over.append(Wait(room_name=room_name, since=since, until=self._clock()))
