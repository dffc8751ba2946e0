"""Rooms of ATTEND_ROOMS in which no look has seen a human: where no webhook tells, one may come.

LiveKit's count is late, and so may be its list of a new room's participants. No I/O, no clock.
"""

from collections import deque
from collections.abc import Collection, Iterable, Sequence

from token_server.keeper.listed_rooms import ListedRoom

# Looks from one listing to the next. Young rooms get half at most; old ones a quarter, since a look
# at a room that everybody has left is three calls.
_LOOKS = 10


class QuietRooms:
    """Chooses from each listing."""

    def __init__(self) -> None:
        self._at_once: list[str] = []
        self._in_turn: list[str] = []
        self._old: deque[str] = deque()

    def listed(self, covered: Sequence[ListedRoom], new: Collection[str]) -> None:
        """Take in the covered rooms of our share, and the names of those that are new."""
        first = {r.room.room_name for r in covered if r.is_young and r.room.room_name in new}
        self._at_once = list(first)
        quiet = [r for r in covered if r.room.room_name not in first and _is_quiet(r)]
        quiet.sort(key=lambda each: each.room.created_at, reverse=True)
        young = [each.room.room_name for each in quiet if each.is_young][: _LOOKS // 2]
        old = {each.room.room_name: None for each in quiet if not each.is_young}
        self._in_turn = young + self._next(old, min(_LOOKS // 4, _LOOKS // 2 - len(young)))

    def take(self, is_hurried: bool) -> tuple[list[str], list[str]]:  # noqa: FBT001 (one fact)
        """Return what the last listing leads to, once: rooms to look at now, and in turn."""
        chosen = (self._at_once, self._in_turn) if is_hurried else ([], [])
        self._at_once, self._in_turn = [], []
        return chosen

    def _next(self, old: Iterable[str], most: int) -> list[str]:
        among = set(old)
        if not self._old:
            self._old.extend(old)
        taken: list[str] = []
        while self._old and len(taken) < most:
            room_name = self._old.popleft()
            if room_name in among:
                taken.append(room_name)
        return taken


def _is_quiet(listed: ListedRoom) -> bool:
    if listed.has_human is None:
        return not listed.room.num_participants or listed.is_young
    return not listed.has_human
