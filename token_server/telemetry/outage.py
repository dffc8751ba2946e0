"""One outage in the log: a line when it begins, and one when it ends. No I/O.

Whoever writes the lines asks here which of many failures is the first.
"""

from threading import Lock


class Outage:
    """Something that goes wrong, maybe many times a second. Thread-safe.

    Attributes:
        is_there: Whether it has begun and not ended.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.is_there = False

    def begins(self) -> bool:
        """Note a failure; True if it is the first, which is to be told."""
        with self._lock:
            is_first, self.is_there = not self.is_there, True
        return is_first

    def ends(self) -> bool:
        """Note a success; True if it is the first after a failure, which is to be told."""
        with self._lock:
            was_there, self.is_there = self.is_there, False
        return was_there
