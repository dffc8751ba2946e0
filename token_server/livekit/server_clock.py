"""What time it is at LiveKit, from the Date header of its answers. No I/O."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Seconds. A clock that is set right shows within this time.
_WINDOW = 60.0
# More than the clocks of one LiveKit's nodes differ; half of what it allows a token to be off.
_JUMP = 30.0
# Seconds of a century. An answer that is further off tells nothing: no date could be made of it.
_FURTHEST = 3.2e9


class ServerClock:
    """LiveKit's time; within a second at once, and exactly where both clocks are set right.

    The header is cut to whole seconds: it says between which two differences to our own clock the
    right one lies, and many answers say it closely. As long as no answer of the last minute speaks
    against it, our clock is taken to be right.
    """

    def __init__(
        self,
        our_time: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._our_time, self._monotonic = our_time, monotonic
        self._least, self._most = float("-inf"), float("inf")
        self._last_header: str | None = None
        self._last_second = 0.0
        self._learned_at = 0.0

    def learn(self, date_header: str | None, asked_at: float) -> None:
        """Take in one answer's Date header.

        Args:
            date_header: As it came.
            asked_at: When the question was sent, by our clock (Unix seconds).
        """
        if date_header is None:
            return
        if date_header == self._last_header:
            # Its first answer has told how much we are behind at least; the later, the closer this.
            self._most = min(self._most, self._last_second + 1 - asked_at)
            return
        try:
            second = parsedate_to_datetime(date_header).timestamp()
        except ValueError:
            return
        if abs(second - asked_at) > _FURTHEST:
            return
        self._last_header, self._last_second = date_header, second
        least, most = second - self._our_time(), second + 1 - asked_at
        is_stale = self._monotonic() - self._learned_at > _WINDOW or most < self._least - _JUMP
        if is_stale or least > self._least:
            self._least, self._learned_at = least, self._monotonic()
        self._most = most if is_stale else min(self._most, most)
        if self._most < self._least:
            # One of the clocks was set meanwhile, or there are several: the latest time counts.
            self._most = float("inf")

    def now(self) -> datetime:
        """Return LiveKit's time; our own as long as LiveKit has told nothing else."""
        is_ours_right = self._least <= 0 <= self._most
        offset = 0.0 if is_ours_right else self._least
        return datetime.fromtimestamp(self._our_time() + offset, UTC)
