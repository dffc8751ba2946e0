"""Room locks that token servers share: they may fail, and tell whether they were held."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


class Locks:
    """The room locks that all token servers share, while they work."""

    def __init__(self) -> None:
        self.do_work = True
        self._held: set[str] = set()
        self.sweeper: object = None

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
