"""Which humans are without their agent at present, as the looks of one process show. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from token_server.attendance import Attendance

# A room whose human waits is looked at every second; who has not been seen to wait for this long
# (LiveKit does not answer) is not said to wait.
_BELIEVED_FOR = timedelta(seconds=60)


@dataclass(frozen=True)
class _Wait:
    since: datetime
    seen_at: datetime

    @property
    def seconds(self) -> float:
        return (self.seen_at - self.since).total_seconds()


class Unattended:
    """How long wanted agents have been missing, room by room. Thread-safe.

    Only what looks have shown, one after the other: from the first that did not find the agent,
    since it may have been there until then, to the last. Whoever goes, or whose room ends, is gone
    with the next look; which comes within a second, because this process has seen them wait.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, _Wait]] = {}  # by room and by agent's name
        self._lock = Lock()

    def looked(self, room_name: str, missing: Sequence[Attendance]) -> None:
        """Take in which wanted agents a look has not found in a room; mostly none."""
        with self._lock:
            before = self._rooms.pop(room_name, {})
            if missing:
                self._rooms[room_name] = {
                    seen.order.agent_name: _wait(seen, before.get(seen.order.agent_name))
                    for seen in missing
                }

    def longest(self, now: datetime) -> float:
        """Return the seconds of the longest wait that is not over; 0 if nobody waits.

        Args:
            now: LiveKit's time, as of the looks.
        """
        with self._lock:
            self._rooms = {
                room_name: waits
                for room_name, waits in self._rooms.items()
                if any(now - wait.seen_at < _BELIEVED_FOR for wait in waits.values())
            }
            waits = [wait.seconds for waits in self._rooms.values() for wait in waits.values()]
            return max([0.0, *waits])


def _wait(seen: Attendance, before: _Wait | None) -> _Wait:
    """Go on with a wait, or begin one; another human's begins with their join."""
    first_seen_at = before.since if before else seen.now
    return _Wait(since=max(first_seen_at, seen.waiting_since or seen.now), seen_at=seen.now)
