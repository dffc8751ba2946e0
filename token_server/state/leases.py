"""What one process on all machines may hold at a time: keys in Redis that end by themselves.

A lease is renewed while it is held, so a slow look keeps its room; a dead process loses it soon.
"""

from contextlib import suppress
from functools import partial

from redis import Redis
from redis.exceptions import DataError, LockError
from redis.lock import Lock

from token_server.state.redis_link import RedisLink

# Seconds after which what a dead process held is free.
LEASE_SECONDS = 3.0


class Leases:
    """The leases of one process; each is one `Lock` of redis-py (SET NX PX, compared in Lua)."""

    def __init__(self, link: RedisLink, prefix: str, seconds: float = LEASE_SECONDS) -> None:
        self._link, self._prefix, self._seconds = link, prefix, seconds
        self._held: dict[str, Lock] = {}

    def take(self, name: str) -> bool:
        """Take a lease; False if it is taken.

        Raises:
            RedisUnavailableError: Nobody knows.
        """
        return self._link.ask(partial(self._take, name))

    def give_back(self, name: str) -> None:
        """End a lease; nothing if it is not ours."""
        if lock := self._held.pop(name, None):
            self._link.ask_or(lambda _: _release(lock), otherwise=None)

    def renew(self) -> None:
        """Begin the seconds of each lease anew; forget those that are lost.

        Raises:
            RedisUnavailableError: Then they end by themselves.
        """
        for name, lock in list(self._held.items()):
            # Meanwhile it may have been given back, and taken anew.
            if not self._link.ask(partial(_renew, lock)) and self._held.get(name) is lock:
                del self._held[name]

    def _take(self, name: str, redis: Redis) -> bool:
        lock = redis.lock(
            f"{self._prefix}{name}", timeout=self._seconds, blocking=False, thread_local=False
        )
        is_taken = bool(lock.acquire())
        if is_taken:
            self._held[name] = lock
        return is_taken


def _release(lock: Lock) -> None:
    with suppress(LockError):
        lock.release()


def _renew(lock: Lock, _: Redis) -> bool:
    try:
        lock.reacquire()
    except (LockError, DataError):
        # Lost, or given back in this moment.
        return False
    return True
