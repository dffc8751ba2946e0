"""Which live rooms a sweep has looked at, and when the next listing is. No I/O, no clock.

One process lists the live rooms every few seconds. Rooms that may have somebody in them get a look
in turn, so many a second however many there are. Where webhooks are not known to reach us, nothing
else finds a human without a token of ours (a phone caller): then the listing comes every second,
and rooms of ATTEND_ROOMS that are new, or in which no human has been seen, go first.
"""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from token_server.livekit.port import Room
from token_server.tokens.room_patterns import matches_any

# Seconds from one look of a sweep to the next: 10 looks a second at most.
PACE = 0.1
# Seconds from one listing to the next, and from one turn through all rooms to the next.
EVERY = 5.0
# Seconds from one listing to the next where a caller is found by it alone, and how many times as
# long as the listing took the pause is at least: 5,000 rooms are not to keep a processor busy.
_HURRIED = 1.0
_REST = 10.0
# LiveKit lists a new room as empty for up to 5 s (livekit-behaviour 6).
_YOUNG = timedelta(seconds=10)


@dataclass(frozen=True)
class Chosen:
    """What one listing leads to.

    Attributes:
        at_once: The names of rooms to look at now, whatever the budget; each room once.
        in_turn: The names of rooms to look at one after the other, one every PACE.
        pause: Seconds until the next listing.
    """

    at_once: Sequence[str]
    in_turn: Sequence[str]
    pause: float


class Sweeping:
    """Chooses from each listing of the live rooms.

    Args:
        attend_rooms: Patterns of rooms that are attended for any human.
    """

    def __init__(self, attend_rooms: Sequence[str] = ()) -> None:
        self._attend_rooms = attend_rooms
        # The rooms of the last listing, by sid: are they covered? To match thousands takes 5 ms.
        self._listed: dict[str, bool] = {}
        # Whether the last look at a covered room has seen a human; None: there was no look yet.
        self._has_human: dict[str, bool | None] = {}
        self._all, self._old = _Turns(), _Turns()  # of all rooms; of old ones without a human
        self._all_again_in = 0.0

    def attends(self, room_name: str) -> bool:
        """Whether ATTEND_ROOMS covers a room."""
        return matches_any(self._attend_rooms, room_name)

    def looked(self, room_name: str, *, has_human: bool) -> None:
        """Take in what a look has seen, from any thread."""
        # While a listing is worked on it may be lost; the room gets one look more then.
        if room_name in self._has_human:
            self._has_human[room_name] = has_human

    def choose(
        self, rooms: Sequence[Room], now: datetime, took: float, *, has_webhooks: bool
    ) -> Chosen:
        """Choose which rooms are looked at until the next listing.

        Args:
            rooms: All live rooms.
            now: LiveKit's time.
            took: Seconds that LiveKit took to list them.
            has_webhooks: Whether webhooks are known to reach us.
        """
        is_hurried = bool(self._attend_rooms) and not has_webhooks
        pause = min(max(_HURRIED, took * _REST), EVERY) if is_hurried else EVERY
        looks = round(pause / PACE)
        listed = {room.room_sid: self._is_covered(room) for room in rooms}
        covered = [room for room in rooms if listed[room.room_sid]] if is_hurried else []
        at_once, in_turn = self._without_a_human(covered, now, looks)
        in_turn += self._next_of_all(rooms, now, looks - len(in_turn))
        self._listed = listed
        self._all_again_in -= pause
        return Chosen(at_once, in_turn, pause)

    def _is_covered(self, room: Room) -> bool:
        before = self._listed.get(room.room_sid)
        return self.attends(room.room_name) if before is None else before

    def _without_a_human(
        self, covered: Sequence[Room], now: datetime, looks: int
    ) -> tuple[list[str], list[str]]:
        """Choose covered rooms that are new, and some of those in which no human has been seen.

        A caller may be in any of them: LiveKit's count is late, and so may be its list of a new
        room's participants. Young ones get half of the looks at most; old ones a quarter, since a
        look at a room that everybody has left is three calls.
        """
        new = {r.room_name for r in covered if r.room_sid not in self._listed and _is_young(r, now)}
        self._has_human = {
            room.room_name: self._has_human.get(room.room_name)
            if room.room_sid in self._listed
            else None
            for room in covered
        }
        unseen = [r for r in covered if r.room_name not in new and self._is_unseen(r, now)]
        unseen.sort(key=lambda room: room.created_at, reverse=True)
        young = [room.room_name for room in unseen if _is_young(room, now)]
        old = [room.room_name for room in unseen[len(young) :]]
        if self._old.are_over:
            self._old.begin(old)
        first = young[: looks // 2]
        return list(new), first + self._old.take(min(looks // 4, looks // 2 - len(first)), set(old))

    def _is_unseen(self, room: Room, now: datetime) -> bool:
        has_human = self._has_human[room.room_name]
        if has_human is None:
            return not room.num_participants or _is_young(room, now)
        return not has_human

    def _next_of_all(self, rooms: Iterable[Room], now: datetime, most: int) -> list[str]:
        """Choose the next rooms of a turn through all that may have somebody in them.

        Those with the fewest people first: a human who waits for an agent is in a room of one. New
        ones last: as a rule their human is yet to come, and their token's process follows them.
        """
        peopled = [room for room in rooms if room.num_participants or _is_young(room, now)]
        if self._all.are_over and self._all_again_in <= 0.0:
            peopled.sort(key=lambda room: (not room.num_participants, room.num_participants))
            self._all.begin([room.room_name for room in peopled])
            self._all_again_in = EVERY
        return self._all.take(most, {room.room_name for room in peopled})


class _Turns:
    """Rooms that have their turn one after the other, some from each listing."""

    def __init__(self) -> None:
        self._left: deque[str] = deque()

    @property
    def are_over(self) -> bool:
        return not self._left

    def begin(self, room_names: Iterable[str]) -> None:
        self._left.extend(room_names)

    def take(self, most: int, among: Collection[str]) -> list[str]:
        """Take the next so many; one that is not among these any more has had its turn."""
        taken: list[str] = []
        while self._left and len(taken) < most:
            room_name = self._left.popleft()
            if room_name in among:
                taken.append(room_name)
        return taken


def _is_young(room: Room, now: datetime) -> bool:
    return now - room.created_at < _YOUNG
