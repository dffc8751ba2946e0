"""Rooms that an agent of this worker is on its way to, so that no second one is sent after it."""

import time
from collections.abc import Callable

# Long enough for a join, too short to swallow the dispatch that replaces an agent.
_ON_ITS_WAY_SECONDS = 1.0


class RoomsOnTheWay:
    """Remembers for a moment which rooms a job was accepted for.

    A late dispatch has another one beside it: a worker that was held up finds both at once, and the
    room has no agent yet when each of the two jobs looks into it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accepted_at: dict[str, float] = {}

    def claim(self, room_sid: str) -> bool:
        """Claim a room for a job; False when an agent is on its way there already."""
        now = self._clock()
        recent = {
            room: at for room, at in self._accepted_at.items() if now - at < _ON_ITS_WAY_SECONDS
        }
        self._accepted_at = {room_sid: now} | recent
        return room_sid not in recent

    def release(self, room_sid: str) -> None:
        """Let another job have a room: the one that was accepted is over."""
        self._accepted_at.pop(room_sid, None)
