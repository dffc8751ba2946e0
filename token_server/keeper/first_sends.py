"""Rooms to which nobody can have sent an agent yet, as good as surely.

LiveKit need not be asked for their dispatches before the first one is made: a round trip less for a
human who waits. What remains is two machines without Redis, a room that was made anew by its
human's own token, or somebody else's backend that sends agents too: the next look, a moment later,
takes back what was sent unasked where another one stood already (decisions.py).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from token_server.state.bounded import Bounded

# Seconds after this process has made the room; less than a room lives that nobody comes to.
MADE_WITHIN = 5.0
# Seconds since this process has seen nobody there: whoever else has heard of the human has done so
# since, and with the call that follows this is less than AT_ONCE.
_EMPTY_WITHIN = 0.4
# Seconds. A room is noted a moment after it was made.
_SLACK = 1.0
# Rooms that are remembered; the first is forgotten first.
_KEPT = 10_000


class SendNotes(Protocol):
    """What the actors of one machine, or of all that share a Redis, have noted."""

    def note_sending(self, room_name: str) -> float:
        """Note that an agent is sent to a room now.

        Returns:
            How many seconds ago one was last, as far as it is noted; 0 where that cannot be known.
        """

    def note_ending(self, room_name: str) -> None:
        """Note, without a wait for other machines, that a room has ended: as a sending."""


@dataclass
class _Made:
    at: float
    empty_at: float = float("-inf")


class FirstSends:
    """Remembers the rooms that this process has made without an agent. Thread-safe.

    Args:
        notes: Who has sent agents.
        monotonic: Seconds that never go back.
    """

    def __init__(self, notes: SendNotes, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._notes, self.monotonic = notes, monotonic
        # Once a room has ended, whoever has made it is to ask before they send: a human's own token
        # makes the next room of this name, with its agent (livekit-behaviour 1).
        self.note, self.ended = notes.note_sending, notes.note_ending
        self._rooms: Bounded[str, _Made] = Bounded(_KEPT)
        self._lock = Lock()

    def made(self, room_name: str) -> None:
        """Know that this process has just made a room, and no agent was ordered with it."""
        with self._lock:
            self._rooms.pop(room_name, None)
            self._rooms[room_name] = _Made(self.monotonic())

    def saw_nobody(self, room_name: str, asked_at: float) -> None:
        """Know that nobody was there; `asked_at` is this object's time before LiveKit was asked."""
        if made := self._rooms.get(room_name):
            made.empty_at = max(made.empty_at, asked_at)

    def claim(self, room_name: str) -> bool:
        """Whether nobody has sent an agent to a room, whose lock we hold; once for each room.

        Whoever comes later finds noted that somebody has.
        """
        with self._lock:
            made = self._rooms.pop(room_name, None)
        now = self.monotonic()
        if made is None or now - made.at > MADE_WITHIN or now - made.empty_at > _EMPTY_WITHIN:
            return False
        return self._notes.note_sending(room_name) > now - made.at + _SLACK
