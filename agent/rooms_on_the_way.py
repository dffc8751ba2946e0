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
        self._accepted: dict[str, tuple[float, str]] = {}  # by room: when, and which dispatch's

    def first(self, room_sid: str) -> str | None:
        """Return the dispatch whose agent is on its way to a room; None if there is none."""
        now = self._clock()
        self._accepted = {
            room: accepted
            for room, accepted in self._accepted.items()
            if now - accepted[0] < _ON_ITS_WAY_SECONDS
        }
        return self._accepted[room_sid][1] if room_sid in self._accepted else None

    def claim(self, room_sid: str, dispatch_id: str) -> None:
        """Have the agent of a dispatch be the one that is on its way to a room."""
        self._accepted[room_sid] = (self._clock(), dispatch_id)

    def release(self, room_sid: str) -> None:
        """Let another job have a room: the one that was accepted is over."""
        self._accepted.pop(room_sid, None)
