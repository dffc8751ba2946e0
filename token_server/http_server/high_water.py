"""Gives memory back to the machine after a flood of connections; glibc keeps what is freed."""

import ctypes
import gc
from contextlib import suppress

# Connections, of some 30 KB each. It takes some milliseconds, for which nobody is answered.
_WORTH_IT = 500


class HighWater:
    """Knows how many connections there were at most since memory was last given back."""

    def __init__(self) -> None:
        self._most = 0

    def note(self, connections: int) -> None:
        """Give back what connections have taken, once enough of them have ended."""
        self._most = max(self._most, connections)
        if self._most - connections >= _WORTH_IT:
            self._most = connections
            gc.collect()
            with suppress(AttributeError):  # another libc has no malloc_trim, and may need none
                ctypes.CDLL(None).malloc_trim(0)
