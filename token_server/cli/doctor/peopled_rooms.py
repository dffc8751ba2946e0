"""Who is in the live rooms, as LiveKit lists them: asked once, for all checks that look there."""

import time
from collections.abc import Sequence

from token_server.errors import TokenServerError
from token_server.livekit.port import LiveKit, Participant

PeopledRooms = Sequence[tuple[str, Sequence[Participant]]]
"""Names of rooms, and who is in each."""

# How many rooms, the youngest first, and for how long (seconds): a probe is still to come.
_MOST_ROOMS = 20
_LOOK_FOR = 1.5


def look_into_rooms(livekit: LiveKit) -> PeopledRooms:
    """Return as many rooms as there is time for; what LiveKit does not tell is left out."""
    ends_at = time.monotonic() + _LOOK_FOR
    found: list[tuple[str, Sequence[Participant]]] = []
    try:
        youngest = sorted(livekit.list_rooms(), key=lambda room: room.created_at, reverse=True)
        for room in youngest[:_MOST_ROOMS]:
            if time.monotonic() > ends_at:
                break
            found.append((room.room_name, livekit.list_participants(room.room_name)))
    except TokenServerError:
        return found
    return found
