"""What token servers share: who is there, and room locks, which may fail and tell who held them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.model.clock import Clock

# Seconds, as in members_redis.py.
_ALIVE = 3.0


class Locks:
    """The room locks that all token servers share, while they work."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._sent_at = clock, dict[str, float]()
        self.do_work = True
        self._held: set[str] = set()
        self.met_at: dict[str, float] = {}  # by a token server's name

    def note_sending(self, room_name: str) -> float:
        """Note that an agent is sent now; where locks do not work, nobody knows when one was."""
        seconds = self._clock.now - self._sent_at.get(room_name, float("-inf"))
        self._sent_at[room_name] = self._clock.now
        return seconds if self.do_work else 0.0

    def note_ending(self, room_name: str) -> None:
        """Note that a room has ended."""
        self.note_sending(room_name)

    @contextmanager
    def hold_room(self, room_name: str) -> Iterator[bool]:
        """Hold a room; without working locks everybody does."""
        if not self.do_work:
            yield True
            return
        is_held = room_name not in self._held
        self._held.add(room_name)
        try:
            yield is_held
        finally:
            if is_held:
                self._held.discard(room_name)


class Meeting:
    """Where one token server meets the others: who has met within so many seconds is there."""

    def __init__(self, locks: Locks, clock: Clock, name: str) -> None:
        self._locks, self._clock, self.name = locks, clock, name

    def meet(self) -> frozenset[str]:
        """Say that it is there; without what they share nobody knows of the others."""
        if not self._locks.do_work:
            return frozenset({self.name})
        now, met_at = self._clock.now, self._locks.met_at
        met_at[self.name] = now
        return frozenset(name for name, at in met_at.items() if now - at < _ALIVE)

    def part(self) -> None:
        """Say that it is not."""
        self._locks.met_at.pop(self.name, None)


class NotingLocks:
    """Locks that tell whether a look held its room."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks
        self.held: dict[str, bool] = {}

    def hold_room(self, room_name: str) -> AbstractContextManager[bool]:
        """Hold a room, and note it."""

        @contextmanager
        def hold() -> Iterator[bool]:
            with self._locks.hold_room(room_name) as is_held:
                self.held[room_name] = is_held
                yield is_held

        return hold()
