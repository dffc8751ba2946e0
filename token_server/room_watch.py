"""What operators see of rooms: asked of LiveKit when they ask, with what the timeline has kept."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from token_server.errors import UnknownRoomError
from token_server.room_view import RoomView, in_urgency, row
from token_server.rooms import Participant, Room, Rooms
from token_server.ticket import TicketSealer
from token_server.timeline import Timeline
from token_server.wants import Policy, Want, wants

# Rooms that are looked into for one list, those with the fewest people first; on Cloud a call takes
# some 50 ms.
_MOST_ROOMS = 200
_AT_ONCE = 8


class RoomWatch:
    """Looks into rooms, and changes nothing."""

    def __init__(
        self, rooms: Rooms, sealer: TicketSealer, policy: Policy, timeline: Timeline
    ) -> None:
        self._rooms, self._sealer, self._policy = rooms, sealer, policy
        self._timeline = timeline

    def room(self, room_name: str) -> dict[str, Any]:
        """Return what is known of a room, live or not.

        Raises:
            UnknownRoomError: It is not live, and nothing is kept of it.
            LiveKitUnavailableError: LiveKit did not answer.
        """
        found = self._rooms.list_rooms([room_name])
        kept = self._timeline.of(room_name)
        if not found:
            if not kept:
                raise UnknownRoomError(
                    "room_name is not a live room, and nothing is kept of an earlier one"
                )
            return RoomView(room_name=room_name, kept=kept).document()
        participants = self._rooms.list_participants(room_name)
        return RoomView(
            room_name=room_name,
            room=found[0],
            participants=participants,
            dispatches=self._rooms.list_dispatches(room_name),
            wanted=self._wanted(room_name, participants),
            kept=kept,
            now=self._rooms.now(),
        ).document()

    def rooms(self) -> list[dict[str, Any]]:
        """Return all live rooms, those with a human who waits first.

        Raises:
            LiveKitUnavailableError: LiveKit did not answer.
        """
        live = sorted(self._rooms.list_rooms(), key=lambda room: room.num_participants)
        # The count lags by up to 5 s (rooms.py): a room that looks empty is looked into as well.
        looked_into, others = live[:_MOST_ROOMS], live[_MOST_ROOMS:]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            rows = list(threads.map(self._row, looked_into))
        return in_urgency([*rows, *self._unknown(others)])

    def _row(self, room: Room) -> dict[str, Any]:
        participants = self._rooms.list_participants(room.room_name)
        return row(room, participants, self._wanted(room.room_name, participants))

    def _wanted(self, room_name: str, participants: Sequence[Participant]) -> list[Want]:
        return wants(room_name, participants, self._sealer, self._policy)

    def _unknown(self, rooms: Sequence[Room]) -> list[dict[str, Any]]:
        return [row(room, None, ()) for room in rooms]
