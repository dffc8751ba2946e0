"""Gives memory back to the machine after a flood of connections; glibc keeps what is freed."""

import ctypes
import gc
from contextlib import suppress

# Connections: some 20 KB each.
_FLOOD = 1_000


class HighWater:
    """Knows how many connections there were at most."""

    def __init__(self) -> None:
        self._most = 0

    def note(self, connections: int) -> None:
        """Give back what a flood has taken once most of it is over."""
        self._most = max(self._most, connections)
        if self._most > _FLOOD and connections < self._most / 4:
            self._most = connections
            gc.collect()
            with suppress(AttributeError):  # another libc has no malloc_trim, and may need none
                ctypes.CDLL(None).malloc_trim(0)
