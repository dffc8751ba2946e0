"""The probe's room: is it there, and is it gone afterwards?"""

import time

from livekit.protocol import room as room_protocol

from token_server.doctor.checks import Cause, Check, Trouble, ok
from token_server.errors import TokenServerError
from token_server.livekit_rooms import LiveKitRooms
from token_server.rooms import ParticipantKind, Room
from token_server.twirp import Method, NotFoundError, Twirp

_DELETE_ROOM = Method("RoomService/DeleteRoom", room_protocol.DeleteRoomResponse)
# A keeper that acts at the very moment of the deletion makes the room again (CreateDispatch).
_TRIES = 5
_PAUSE = 0.2  # seconds
_MOST_ROOMS = 10


class LiveKit:
    """The rooms of our LiveKit, as far as the doctor needs them."""

    def __init__(self, twirp: Twirp) -> None:
        self._twirp = twirp
        self.rooms = LiveKitRooms(twirp)

    def find(self, room_name: str) -> Room | None:
        """Return a room, None if there is none of that name.

        Raises:
            TokenServerError: LiveKit does not say.
        """
        return next(iter(self.rooms.list_rooms([room_name])), None)

    def other_agent_names(self, room_name: str) -> tuple[str, ...]:
        """Return the names of agents in a few other live rooms; what LiveKit does not say is not.

        The largest rooms first: an agent is more likely there.
        """
        try:
            rooms = [room for room in self.rooms.list_rooms() if room.room_name != room_name]
            rooms.sort(key=lambda room: -room.num_participants)
            return tuple(
                sorted(
                    {
                        participant.agent_name
                        for room in rooms[:_MOST_ROOMS]
                        for participant in self.rooms.list_participants(room.room_name)
                        if participant.kind is ParticipantKind.AGENT
                    }
                )
            )
        except TokenServerError:
            return ()

    def clear(self, room_name: str) -> Check:
        """Delete the room with everybody in it, and see that it stays away."""
        try:
            for _ in range(_TRIES):
                self._delete(room_name)
                time.sleep(_PAUSE)
                if not self.find(room_name):
                    return ok("cleaning up", f"The probe's room {room_name} is gone.")
            reason = "it is there again"
        except TokenServerError as error:
            reason = str(error)
        return Trouble(
            Cause.NOT_CLEARED,
            f"Nothing to do: it ends by itself. At once: `lk room delete {room_name}`.",
        ).unknown("cleaning up", f"The probe's room {room_name} may still be there.", reason)

    def _delete(self, room_name: str) -> None:
        request = room_protocol.DeleteRoomRequest(room=room_name)
        try:
            self._twirp.call(_DELETE_ROOM, request, {"roomCreate": True})
        except NotFoundError:
            return
