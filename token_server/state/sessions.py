"""Which rooms each person has got a token for: those that LiveKit is to be asked about.

What is live, LiveKit alone knows. This may be lost: then a person has more rooms than they may.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock
from typing import Protocol

# A person's rooms. Of one that is being made it is known since when, in Unix milliseconds by the
# clock of whoever keeps it; of one that LiveKit has had it is MADE.
Rooms = dict[str, int]
MADE = 0

# Of all persons together, in one process: 20 MB with the longest names.
_MOST_ROOMS = 50_000


class Outcome(Enum):
    """What became of a claim."""

    NEW = "the room is one more of this person's"
    KNOWN = "it was theirs before"
    FULL = "they have as many as they may, and it is none of them"


@dataclass(frozen=True)
class Claim:
    """What became of a claim, at which time; the person's rooms, where it is FULL."""

    outcome: Outcome
    at: int
    rooms: Mapping[str, int] = field(default_factory=dict)


class SessionStore(Protocol):
    """Keeps the rooms of persons; a person is 32 hexadecimal digits that tell nothing of them."""

    def claim(self, person: str, room_name: str, most: int) -> Claim:
        """Note that a room is being made for a person, unless they have so many others."""

    def made(self, person: str, room_name: str, at: int) -> None:
        """Note that LiveKit has the room that was claimed then, and not since."""

    def forget(self, person: str, rooms: Mapping[str, int]) -> None:
        """Take these rooms from a person's, if they are still known just so."""


class MemorySessions:
    """A store of one process. Its memory is bounded: who has not asked for longest is forgotten.

    Args:
        most_rooms: Of all persons together.
        persons: Whose rooms are known at first.
    """

    def __init__(
        self, most_rooms: int = _MOST_ROOMS, persons: Mapping[str, Rooms] | None = None
    ) -> None:
        self.persons: OrderedDict[str, Rooms] = OrderedDict(persons or {})
        self._most_rooms, self._lock = most_rooms, Lock()

    def claim(self, person: str, room_name: str, most: int) -> Claim:
        """Note that a room is being made for a person, unless they have so many others."""
        with self._lock:
            rooms = self.persons.setdefault(person, {})
            self.persons.move_to_end(person)
            while len(self.persons) > max(1, self._most_rooms // most):
                self.persons.popitem(last=False)
            now, is_known = time.time_ns() // 1_000_000, room_name in rooms
            if not is_known and len(rooms) >= most:
                return Claim(Outcome.FULL, now, dict(rooms))
            rooms[room_name] = now
            return Claim(Outcome.KNOWN if is_known else Outcome.NEW, now)

    def made(self, person: str, room_name: str, at: int) -> None:
        """Note that LiveKit has the room that was claimed then, and not since."""
        with self._lock:
            rooms = self.persons.get(person, {})
            if rooms.get(room_name) == at:
                rooms[room_name] = MADE

    def forget(self, person: str, rooms: Mapping[str, int]) -> None:
        """Take these rooms from a person's, if they are still known just so."""
        with self._lock:
            known = self.persons.get(person, {})
            for name, known_as in rooms.items():
                if known.get(name) == known_as:
                    del known[name]
