"""RATE_LIMIT and RATE_LIMIT_KEY: how often one person, or one key, may ask for a token."""

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from token_server.errors import RedisUnavailableError, TooManyRequestsError
from token_server.state.bounded import Bounded

if TYPE_CHECKING:
    from token_server.state.redis_link import RedisLink

# Who is remembered at a time, of one kind and for one limit: more than the 65,536 networks that
# one IPv6 customer with a /48 has.
_MOST_REMEMBERED = 100_000


class RateLimits:
    """Counts requests: in Redis for all machines, in memory for this process alone.

    Without Redis' answer it goes on in memory: a limit per process is better than none.

    Args:
        limits: Such as 30/minute. All have to be kept; without any, nothing is counted.
        redis: Where all machines count.
        setting: Where the limits come from, for who is refused.
    """

    def __init__(
        self,
        limits: Sequence[str],
        redis: "RedisLink | None" = None,
        setting: str = "RATE_LIMIT",
    ) -> None:
        self._limits, self._setting = [parse(limit) for limit in limits], setting
        self._redis = RedisCounts(redis) if redis and limits else None
        # Each kind has its own: who has many addresses cannot make us forget a caller.
        self._memory = defaultdict[str, list[MemoryCounts]](
            lambda: [MemoryCounts(limit) for limit in self._limits]
        )

    def spend(self, kind: str, who: str) -> None:
        """Count one request of an address, a caller, an end user or a key.

        Raises:
            TooManyRequestsError: That is one too many; it says when there is room again.
        """
        for limit, memory in zip(self._limits, self._memory[kind], strict=True):
            seconds = self._spend(limit, memory, kind, who)
            if seconds is not None:
                raise TooManyRequestsError(
                    f"too many requests of one {kind}: {self._setting} is {limit}",
                    math.ceil(seconds),
                )

    def _spend(
        self, limit: RateLimitItem, memory: "MemoryCounts", kind: str, who: str
    ) -> float | None:
        """Count against one limit; return None, or for how many seconds it is spent."""
        if self._redis:
            with suppress(RedisUnavailableError):
                return self._redis.spend(limit, kind, who)
        return memory.spend(who, time.monotonic())


class MemoryCounts:
    """Counts against one limit in a sliding window, for those who have asked last.

    Memory and work do not grow beyond `most`. What that costs: whoever has not asked while `most`
    others have begins anew. That is no cheap way around a limit: it takes `most` other addresses,
    each of which could have asked instead. Who has more of them than that is not limited at all,
    and hardly would be by a longer memory.
    """

    def __init__(self, limit: RateLimitItem, most: int = _MOST_REMEMBERED) -> None:
        self._amount, self._window = limit.amount, limit.get_expiry()
        # The number of the window in which each has asked last, how often in the one before it and
        # in itself; who has asked last comes last.
        self._counts: Bounded[str, tuple[int, int, int]] = Bounded(most)
        self._counting = Lock()

    def spend(self, who: str, now: float) -> float | None:
        """Count a request at a time (monotonic); return None, or when there is room again.

        Who is refused is not counted, so that knocking on does not prolong it.
        """
        number, gone = int(now // self._window), now % self._window
        with self._counting:
            before, current = self._asked(who, number)
            # The window that slides still covers this much of the one before.
            left = self._window - gone
            is_over = math.floor(before * left / self._window) + current >= self._amount
            self._counts[who] = (number, before, current if is_over else current + 1)
        if not is_over:
            return None
        return left - (self._amount - current) * self._window / before if before else left

    def _asked(self, who: str, number: int) -> tuple[int, int]:
        """Forget, and return, how often somebody asked in the window before this one and in it."""
        last, before, current = self._counts.pop(who, (number, 0, 0))
        if last == number:
            return before, current
        return current if last == number - 1 else 0, 0


class RedisCounts:
    """Counts in Redis; what is there ends by itself after two windows."""

    def __init__(self, link: "RedisLink") -> None:
        self._link = link
        storage = RedisStorage("redis://", connection_pool=link.connections)
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    def spend(self, limit: RateLimitItem, kind: str, who: str) -> float | None:
        """Count a request; return None, or in how many seconds there is room again.

        Raises:
            RedisUnavailableError: It is not counted.
        """
        return self._link.ask(lambda _: self._hit(limit, kind, who))

    def _hit(self, limit: RateLimitItem, kind: str, who: str) -> float | None:
        if self._limiter.hit(limit, kind, who):
            return None
        reset_time = self._limiter.get_window_stats(limit, kind, who).reset_time
        return max(1.0, reset_time - time.time())
