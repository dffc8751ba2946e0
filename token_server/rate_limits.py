"""RATE_LIMIT: how often one caller, or one address, may ask for a token."""

import ipaddress
import logging
import math
import time
from collections.abc import Sequence

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from token_server.errors import TooManyRequestsError

logger = logging.getLogger(__name__)

# Seconds.
_REDIS_TIMEOUT = 0.3
_WITHOUT_REDIS = 5.0
_NETWORK_OF_ONE = 64  # bits: what a provider gives to one IPv6 customer at least


class RateLimits:
    """Counts requests: in Redis for all machines, in memory for this process alone.

    Without Redis' answer it goes on in memory: a limit per process is better than none.
    """

    def __init__(self, limits: Sequence[RateLimitItem], redis_url: str = "") -> None:
        self._limits = limits
        self._memory = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._redis = _in_redis(redis_url) if redis_url else None
        self._redis_again_at = float("-inf")
        self._is_alone = False

    def spend(self, kind: str, who: str) -> None:
        """Count one request of an address or a caller.

        Raises:
            TooManyRequestsError: That is one too many; it says when there is room again.
        """
        for limit in self._limits:
            seconds = self._spend(limit, kind, who)
            if seconds is not None:
                raise TooManyRequestsError(
                    f"too many requests of one {kind}: RATE_LIMIT is {limit}", math.ceil(seconds)
                )

    def _spend(self, limit: RateLimitItem, kind: str, who: str) -> float | None:
        """Count against one limit; return None, or for how many seconds it is spent."""
        if self._redis and time.monotonic() >= self._redis_again_at:
            try:
                spent = _hit(self._redis, limit, kind, who)
            except StorageError:
                self._redis_again_at = time.monotonic() + _WITHOUT_REDIS
                self._count_alone(is_alone=True)
            else:
                self._count_alone(is_alone=False)
                return spent
        return _hit(self._memory, limit, kind, who)

    def _count_alone(self, *, is_alone: bool) -> None:
        """Log once when Redis falls silent, and once when it is back."""
        if is_alone != self._is_alone:
            self._is_alone = is_alone
            if is_alone:
                logger.warning("Rate limits count in each process: Redis does not answer")
            else:
                logger.info("Rate limits count in Redis again")


def address_of(remote_address: str | None) -> str:
    """Return what stands for one client: its IPv4 address, or the network of its IPv6 address."""
    try:
        address = ipaddress.ip_address(remote_address or "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, _NETWORK_OF_ONE), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


def _hit(limiter: RateLimiter, limit: RateLimitItem, kind: str, who: str) -> float | None:
    if limiter.hit(limit, kind, who):
        return None
    return max(1.0, limiter.get_window_stats(limit, kind, who).reset_time - time.time())


def _in_redis(redis_url: str) -> RateLimiter:
    storage = RedisStorage(
        redis_url,
        wrap_exceptions=True,
        socket_timeout=_REDIS_TIMEOUT,
        socket_connect_timeout=_REDIS_TIMEOUT,
    )
    return SlidingWindowCounterRateLimiter(storage)
