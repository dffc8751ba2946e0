"""Which live rooms are this process's to look after: rendezvous hashing over all that are there.

While members change two may look after a room, and never nobody: whoever is the first for a room
among all that live is so too among those of them that it knows of.
"""

import time
from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Protocol

# Seconds for which one that has just come shares what is to be its own with who had it before: it
# has to list the rooms, and to look at them.
_HANDS_OVER = 2.0


class Meeting(Protocol):
    """Where the processes of one LiveKit meet, as far as they can."""

    @property
    def name(self) -> str:
        """This process: no other has this name."""

    def meet(self) -> frozenset[str]:
        """Say that this process is there, and return all that are, itself included."""

    def part(self) -> None:
        """Say that it is not there any more."""


def owner(room_name: str, members: Collection[str]) -> str:
    """Return who of them is the first for a room; who comes or goes changes only its own rooms."""
    return max(members, key=lambda member: _score(member, room_name))


def _score(member: str, room_name: str) -> bytes:
    return blake2b(f"{member}/{room_name}".encode(), digest_size=8).digest()


class Shares:
    """Knows who is there, from any thread.

    Attributes:
        counted: Which other processes have a share: what is ours changes with it alone.

    Args:
        meeting: Where this process meets the others.
        clock: Seconds that never go back.
    """

    def __init__(self, meeting: Meeting, clock: Callable[[], float] = time.monotonic) -> None:
        self._meeting, self._clock = meeting, clock
        self._since: dict[str, float] | None = None  # the others; None: we have met nobody yet
        self.counted: frozenset[str] = frozenset()

    def beat(self, *, is_able: bool) -> None:
        """Meet the others, a few times a second.

        Args:
            is_able: Whether this process can look after rooms. One that LiveKit does not answer
                has no share, as far as the others know.
        """
        if not is_able:
            self.leave()
            return
        now, here = self._clock(), self._meeting.meet() - {self._meeting.name}
        # Whoever was there before us is not new.
        came_at = now if self._since is not None else now - _HANDS_OVER
        before = self._since or {}
        self._since = {other: before.get(other, came_at) for other in here}
        self.counted = frozenset(
            other for other, since in self._since.items() if now - since >= _HANDS_OVER
        )

    @property
    def are_met(self) -> bool:
        """Whether it is known who else is there."""
        return self._since is not None

    def leave(self) -> None:
        """Leave all rooms to the others."""
        if self._since is not None:
            self._since, self.counted = None, frozenset()
            self._meeting.part()

    def is_mine(self, room_name: str) -> bool:
        """Whether this process is to look after a room."""
        me = self._meeting.name
        return not self.counted or owner(room_name, {me, *self.counted}) == me
