"""Room locks that token servers share: they may fail, and tell whether they were held."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.model.clock import Clock


class Locks:
    """The room locks that all token servers share, while they work."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._sent_at = clock, dict[str, float]()
        self.do_work = True
        self._held: set[str] = set()
        self.sweeper: object = None
        self._watchers: dict[str, object] = {}

    def note_sending(self, room_name: str) -> float:
        """Note that an agent is sent now; where locks do not work, nobody knows when one was."""
        seconds = self._clock.now - self._sent_at.get(room_name, float("-inf"))
        self._sent_at[room_name] = self._clock.now
        return seconds if self.do_work else 0.0

    def claim_watch(self, room_name: str, who: object) -> bool:
        """Let one watch a room; without working locks everybody does."""
        return not self.do_work or self._watchers.setdefault(room_name, who) is who

    def give_up_watch(self, room_name: str, who: object) -> None:
        """Let another watch it."""
        if self._watchers.get(room_name) is who:
            del self._watchers[room_name]

    def forget(self, who: object) -> None:
        """Free what a process that died has held."""
        for room_name in list(self._watchers):
            self.give_up_watch(room_name, who)

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


class WatchClaims:
    """The rooms whose agents one token server asks for life."""

    def __init__(self, locks: Locks, who: object) -> None:
        self._locks, self._who = locks, who

    def claim_watch(self, room_name: str) -> bool:
        """Become, or stay, the one that does."""
        return self._locks.claim_watch(room_name, self._who)

    def give_up_watch(self, room_name: str) -> None:
        """Let another one."""
        self._locks.give_up_watch(room_name, self._who)


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
