"""Whether LiveKit is silent, or one room fails by itself; and when to say so. No I/O, no clock.

Looks at several rooms that fail in a row, or a sweep that fails, are LiveKit's silence. A room that
goes on failing while LiveKit is not silent fails by itself: it is named once, and counts no more.
"""

from enum import Enum
from threading import Lock

from token_server.state.bounded import Bounded
from token_server.telemetry.outage import Outage

# Different rooms whose looks fail in a row.
_ROOMS_IN_A_ROW = 3
# Failures in a row after which a room fails by itself: 3 s after the first (schedule.pause).
_BY_ITSELF = 3
# Rooms that were named; the first is forgotten first.
_ROOMS_NAMED = 10_000


class News(Enum):
    """What is to be said."""

    NOTHING = "nothing"
    SILENT = "LiveKit is silent"
    BACK = "LiveKit answers again"
    ROOM = "this room fails by itself"


class Silence:
    """Draws conclusions from looks and sweeps, each once. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._in_a_row: set[str] = set()
        self._has_sweep_failed = False
        self._silence = Outage()
        # False: named, but LiveKit has been silent since, which may be why it still fails.
        self._named: Bounded[str, bool] = Bounded(_ROOMS_NAMED)

    def failing_alone(self) -> frozenset[str]:
        """Return the rooms that fail by themselves."""
        with self._lock:
            return frozenset(name for name, is_alone in self._named.items() if is_alone)

    def look_failed(self, room_name: str, failures: int) -> News:
        """Take in a look that has failed, as this room's last so many have."""
        with self._lock:
            if self._named.get(room_name):
                return News.NOTHING
            if failures >= _BY_ITSELF and not self._silence.is_there:
                return self._name(room_name)
            if len(self._in_a_row) < _ROOMS_IN_A_ROW:
                self._in_a_row.add(room_name)
            return self._change()

    def looked(self, room_name: str) -> News:
        """Take in a look that was answered."""
        with self._lock:
            self._named.pop(room_name, None)
            self._in_a_row.clear()
            return self._change()

    def sweep_failed(self) -> News:
        """Take in a sweep that was not answered: no room is to blame."""
        with self._lock:
            self._has_sweep_failed = True
            self._named.update(dict.fromkeys(self._named, False))
            return self._change()

    def swept(self) -> News:
        """Take in a sweep that was answered."""
        with self._lock:
            if self._has_sweep_failed:
                self._has_sweep_failed = False
                self._in_a_row.clear()
            return self._change()

    def _name(self, room_name: str) -> News:
        self._in_a_row.discard(room_name)
        was_named = room_name in self._named
        self._named[room_name] = True
        return News.NOTHING if was_named else News.ROOM

    def _change(self) -> News:
        if self._has_sweep_failed or len(self._in_a_row) == _ROOMS_IN_A_ROW:
            return News.SILENT if self._silence.begins() else News.NOTHING
        return News.BACK if self._silence.ends() else News.NOTHING
