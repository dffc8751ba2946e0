"""LiveKit's quota of requests a minute, kept by all processes together. No I/O.

Each process has an even part of it. In no 60 s are there more than the quota, but for what humans
who wait have needed beyond it: a tenth may be spent in a burst, and the rest is earned evenly. So
it holds whether LiveKit counts from one minute to the next or the last 60 s.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock

from token_server.livekit.pace import Pace, Purpose
from token_server.livekit.quota_shares import Purses

logger = logging.getLogger(__name__)

_MINUTE = 60.0
_BURST = 0.1
# After a refusal: the seconds for which only humans are served, unless LiveKit says how many; times
# two with each refusal after they have passed.
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 15.0
# What is left of the pace after a minute with a refusal, the least of it, and what comes back each
# minute without. Others may spend from the same quota.
_SLOWER, _SLOWEST, _FASTER = 0.7, 0.1, 0.1


def log_limits(*, is_limited: bool) -> None:
    """Say that LiveKit refuses requests, or does not any more."""
    if is_limited:
        logger.warning(
            "LiveKit's quota is used up (HTTP 429): humans come first, and all else is asked more"
            " rarely; LIVEKIT_REQUESTS_PER_MINUTE is to be less than the quota"
        )
    else:
        logger.info("LiveKit has refused nothing for a minute")


class Quota(Pace):
    """What one process may ask.

    Args:
        per_minute: What all processes may ask; 0: any number, and only refusals make it slower.
        members: Tells how many processes share it, at once: it is asked with each request.
        tell: Is told `is_limited` when LiveKit begins to refuse requests, and when it is over.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        per_minute: int,
        members: Callable[[], int] = lambda: 1,
        tell: Callable[..., None] = log_limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute, self._members, self._tell, self._clock = per_minute, members, tell, clock
        self.has_quota = bool(per_minute)
        self._lock = Lock()
        self._purses = Purses()
        self._earned_at = clock()
        self._factor = 1.0
        self._is_limited = False
        self._refused_at = self._slowed_at = self._held_until = float("-inf")
        self._pause = 0.0

    def wait(self, purpose: Purpose) -> float:
        """Return the seconds until the next request for this purpose may be sent; 0.0: now."""
        with self._lock:
            now = self._clock()
            is_over = self._pass_time(now)
            held = 0.0 if purpose is Purpose.WAITING else max(self._held_until - now, 0.0)
            if self._per_minute:
                missing = self._purses.missing(purpose, self._most())
                held = max(held, missing / self._per_second())
        if is_over:
            self._tell(is_limited=False)
        return held

    def spent(self, requests: int = 1, purpose: Purpose = Purpose.WAITING) -> None:
        """Count requests; none is held back by that."""
        if not self._per_minute:
            return
        with self._lock:
            # Whether a refusal is over, `wait` says: the loops ask all the time.
            self._earn(self._clock())
            self._purses.spend(purpose, requests, debt=self._per_second() * _MINUTE)

    def refused(self, retry_after: float = 0.0) -> None:
        """Know that LiveKit has refused a request because there were too many (429)."""
        with self._lock:
            now = self._clock()
            is_first, self._is_limited = not self._is_limited, True
            if now - self._slowed_at >= _MINUTE:
                self._slowed_at = now
                self._factor = max(self._factor * _SLOWER, _SLOWEST)
            if is_first:
                self._pause = _FIRST_PAUSE
            elif now >= self._held_until:
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            self._refused_at = now
            pause = min(retry_after, _MINUTE) or self._pause
            self._held_until = max(self._held_until, now + pause)
            self._purses.empty()
        if is_first:
            self._tell(is_limited=True)

    def _pass_time(self, now: float) -> bool:
        """Earn what the time has brought; True when the refusals are over."""
        self._earn(now)
        is_over = self._is_limited and now - self._refused_at >= _MINUTE
        if is_over:
            self._is_limited = False
        return is_over

    def _earn(self, now: float) -> None:
        seconds, self._earned_at = max(now - self._earned_at, 0.0), max(now, self._earned_at)
        if self._per_minute:
            self._purses.earn(self._per_second() * seconds, self._most())
        if not self._is_limited:
            self._factor = min(self._factor + _FASTER * seconds / _MINUTE, 1.0)

    def _part(self) -> float:
        return self._per_minute * self._factor / max(self._members(), 1)

    def _per_second(self) -> float:
        return self._part() * (1 - _BURST) / _MINUTE

    def _most(self) -> float:
        return self._part() * _BURST
