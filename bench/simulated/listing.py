"""What ListRooms says: counts that are up to 5 s old (livekit-behaviour 6). No I/O."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from livekit.protocol import models
from livekit.protocol.room import ListRoomsResponse

from bench.simulated.messages import from_room
from bench.simulated.rooms import RoomWatcher
from token_server.livekit.port import Participant, ParticipantKind, Room

_COUNTED_EVERY = 5.0


@dataclass
class _Listed:
    """A room as it is listed, and what it will say from the next count on."""

    message: models.Room
    counted_from: float
    humans: int = 0
    publishers: int = 0
    due_at: float | None = None


class Listing(RoomWatcher):
    """Keeps the answer ready, for thousands of rooms.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._listed: dict[str, _Listed] = {}
        self._changed: dict[str, _Listed] = {}

    def room_began(self, room: Room) -> None:
        """List a room."""
        self._listed[room.room_name] = _Listed(from_room(room), self._clock())

    def room_ended(self, room: Room) -> None:
        """List it no more."""
        self._listed.pop(room.room_name, None)
        self._changed.pop(room.room_name, None)

    def changed(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        """Count somebody, whom the list will know of some seconds from now; all publish."""
        listed, now = self._listed[room_name], self._clock()
        self._settle(room_name, listed, now)
        number = 1 if is_here else -1
        listed.publishers += number
        listed.humans += number if participant.kind is ParticipantKind.HUMAN else 0
        if listed.due_at is None:
            counts = (now - listed.counted_from) // _COUNTED_EVERY + 1
            listed.due_at = listed.counted_from + counts * _COUNTED_EVERY
        self._changed[room_name] = listed

    def answer(self, room_names: Sequence[str]) -> ListRoomsResponse:
        """Return the rooms of these names, or all."""
        now = self._clock()
        for room_name, listed in list(self._changed.items()):
            self._settle(room_name, listed, now)
        return ListRoomsResponse(rooms=[each.message for each in self._chosen(room_names)])

    def _chosen(self, room_names: Sequence[str]) -> Iterable[_Listed]:
        if not room_names:
            return self._listed.values()
        return [self._listed[name] for name in room_names if name in self._listed]

    def _settle(self, room_name: str, listed: _Listed, now: float) -> None:
        if listed.due_at is not None and now >= listed.due_at:
            listed.message.num_participants = listed.humans
            listed.message.num_publishers = listed.publishers
            listed.due_at = None
            del self._changed[room_name]
