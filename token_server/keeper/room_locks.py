"""One actor a room: what looks and releases ask of the state that processes share."""

from contextlib import AbstractContextManager
from typing import Protocol


class RoomLocks(Protocol):
    """One actor a room, as far as possible."""

    def hold_room(self, room_name: str) -> AbstractContextManager[bool]:
        """Hold a room while in the block; False if another actor has it now."""
