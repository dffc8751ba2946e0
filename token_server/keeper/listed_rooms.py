"""The live rooms as the listings show them, and what looks have shown of each. No I/O, no clock.

Thousands of rooms are gone through in slices: no request waits for all of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from token_server.livekit.port import Room
from token_server.livekit.slices import slices

# LiveKit lists a new room as empty for up to 5 s (livekit-behaviour 6).
_YOUNG = timedelta(seconds=10)
# Rooms between two turns of the others: to go through one takes 1 to 10 us, with the members.
AT_ONCE = 250


@dataclass(slots=True)
class ListedRoom:
    """One live room.

    Attributes:
        room: As it was last listed.
        is_covered: Whether ATTEND_ROOMS covers it.
        is_mine: Whether this process is to look after it.
        mine_since: Since when, where it is.
        looked_at: When a look of this process last ended well; None if none has.
        has_human: Whether that look has seen a human; None: there was none.
        is_young: Whether LiveKit may not have counted who is in it.
        has_failed: Whether this process's last look has shown nothing.
    """

    room: Room
    is_covered: bool
    is_mine: bool
    mine_since: float
    looked_at: float | None = None
    has_human: bool | None = None
    is_young: bool = True
    has_failed: bool = False

    @property
    def is_peopled(self) -> bool:
        """Whether somebody may be in it: agents are no participants to LiveKit's count."""
        return bool(self.room.num_participants or self.room.num_publishers or self.is_young)

    def unseen_for(self, at: float) -> float:
        """Return the seconds since the last look, or since it is this process's."""
        return at - (self.mine_since if self.looked_at is None else self.looked_at)


@dataclass
class Listing:
    """What a listing has brought.

    Attributes:
        new: Rooms that were not listed before, or made again.
        changed: Rooms in which LiveKit counts others than before.
        gone: The names of those that have ended.
        empty: The names of those in which nobody is.
        peopled: How many may have somebody in them.
        mine: How many this process is to look after.
    """

    new: list[ListedRoom] = field(default_factory=list)
    changed: list[ListedRoom] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    peopled: int = 0
    mine: int = 0


class ListedRooms:
    """All of them, by name.

    Args:
        is_covered: Whether ATTEND_ROOMS covers a room, by its name.
    """

    def __init__(self, is_covered: Callable[[str], bool]) -> None:
        self._is_covered = is_covered
        self._rooms: dict[str, ListedRoom] = {}

    def __iter__(self) -> Iterator[ListedRoom]:
        """Go through all, giving way."""
        rooms = list(self._rooms.values())
        return (room for some in slices(rooms, AT_ONCE) for room in some)

    def get(self, room_name: str) -> ListedRoom | None:
        """Return one; None where it is not live."""
        return self._rooms.get(room_name)

    def take_in(
        self, rooms: Mapping[str, Room], now: datetime, at: float, is_mine: Callable[[str], bool]
    ) -> Listing:
        """Take in a listing; a room that has not changed is the same object as before.

        Args:
            rooms: All live rooms, by name.
            now: LiveKit's time.
            at: Ours.
            is_mine: Whether this process is to look after a room, by its name.
        """
        after: dict[str, ListedRoom] = {}
        found = Listing()
        for some in slices(list(rooms.values()), AT_ONCE):
            for room in some:
                listed = self._find(room, at, is_mine, found)
                listed.is_young = listed.is_young and now - room.created_at < _YOUNG
                found.mine += listed.is_mine
                if listed.is_peopled:
                    found.peopled += 1
                else:
                    found.empty.append(room.room_name)
                after[room.room_name] = listed
        found.gone.extend(self._rooms.keys() - after.keys())
        self._rooms = after
        return found

    def _find(
        self, room: Room, at: float, is_mine: Callable[[str], bool], found: Listing
    ) -> ListedRoom:
        listed = self._rooms.get(room.room_name)
        if listed is None or listed.room.room_sid != room.room_sid:
            name = room.room_name
            listed = ListedRoom(room, self._is_covered(name), is_mine(name), at)
            found.new.append(listed)
        elif listed.room is not room:
            listed.room = room
            found.changed.append(listed)
        return listed
