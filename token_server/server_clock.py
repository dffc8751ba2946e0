"""What time it is at LiveKit, from the Date header of its answers. No I/O."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Seconds. A clock that is set right shows within this time.
_WINDOW = 60.0


class ServerClock:
    """LiveKit's time, from the Date header of its answers; right within a second.

    The header is cut to whole seconds, so that each one understates; the best guess is the
    largest difference to our own clock of the last minute.
    """

    def __init__(
        self,
        our_time: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._our_time, self._monotonic = our_time, monotonic
        self._offset = float("-inf")
        self._last_header = ""
        self._learned_at = 0.0

    def learn(self, date_header: str | None) -> None:
        """Take in one answer's Date header."""
        if date_header is None or date_header == self._last_header:
            # The same second again: only its first answer tells more than we know.
            return
        self._last_header = date_header
        try:
            offset = parsedate_to_datetime(date_header).timestamp() - self._our_time()
        except ValueError:
            return
        is_stale = self._monotonic() - self._learned_at > _WINDOW
        if offset > self._offset or is_stale:
            self._offset, self._learned_at = offset, self._monotonic()

    def now(self) -> datetime:
        """Return LiveKit's time; our own as long as LiveKit has not told."""
        offset = self._offset if self._offset != float("-inf") else 0.0
        return datetime.fromtimestamp(self._our_time() + offset, UTC)
