"""A LiveKit that answers at once, and always the same."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tests.fakes import FakeLiveKit
from token_server.livekit.port import Dispatch, Participant, ParticipantKind, Room
from token_server.tokens.tickets import TICKET_ATTRIBUTE

_THEN = datetime(2026, 1, 1, tzinfo=UTC)


class StillRooms(FakeLiveKit):
    """Many rooms of one human each, and one room of many, as the port shows them.

    Args:
        rooms: How many.
        participants: How many are in the big one.
        ticket: Makes a human's ticket of the room and the identity.
    """

    def __init__(self, rooms: int, participants: int, ticket: Callable[[str, str], str]) -> None:
        super().__init__()
        self._many_rooms = {
            f"room-{number}": Room(
                room_name=f"room-{number}", room_sid=f"RM_{number}", created_at=_THEN
            )
            for number in range(rooms)
        }
        self.big = "room-0"
        self._ticket = ticket
        # Made before: sealing is no part of what is measured.
        self._lone = {name: [self._human(name, 0)] for name in self._many_rooms}
        self._many = [self._human(self.big, number) for number in range(participants)]

    def now(self) -> datetime:
        """Return a time."""
        return _THEN

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        """Return these, or all."""
        return [self._many_rooms[name] for name in room_names] or list(self._many_rooms.values())

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        """Return many, or one."""
        return self._many if room_name == self.big else self._lone[room_name]

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        """Return none."""
        del room_name
        return []

    def _human(self, room_name: str, number: int) -> Participant:
        identity = f"human-{number}"
        return Participant(
            participant_identity=identity,
            participant_sid=f"PA_{number}",
            kind=ParticipantKind.HUMAN,
            joined_at=_THEN,
            attributes={TICKET_ATTRIBUTE: self._ticket(room_name, identity)},
        )
