"""Which token servers of all machines are there: one sorted set in Redis, by Redis' own time."""

from functools import partial
from typing import cast

from redis import Redis

from token_server.state.redis_link import RedisLink

# Seconds after the last beat. A process that lives beats twice a second.
_ALIVE = 3.0
_KEPT = 60.0
# KEYS: the set. ARGV: this process, milliseconds until one that does not beat is gone, and until
# all are forgotten. Where Redis' clock was set back (another master's is behind), what seems to
# come from the future is dead: it would have its share, and nobody would look at that.
_MEET = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + ARGV[2], '+inf')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""


class MembersRedis:
    """The processes that meet in one Redis.

    Args:
        link: The way to it.
        key: The set's.
        alive_seconds: After this, one that has not beaten is gone.
    """

    def __init__(self, link: RedisLink, key: str, alive_seconds: float = _ALIVE) -> None:
        self._link, self._key, self._alive = link, key, round(alive_seconds * 1000)

    def meet(self, name: str) -> frozenset[str]:
        """Say that the process of this name is there, and return all that are; else nobody."""
        return self._link.ask_or(partial(self._meet, name), otherwise=frozenset())

    def part(self, name: str) -> None:
        """Say that it is not there any more; else it is forgotten by itself."""
        self._link.ask_or(lambda redis: redis.zrem(self._key, name), otherwise=None)

    def _meet(self, name: str, redis: Redis) -> frozenset[str]:
        meet = redis.register_script(_MEET)
        found = meet(keys=[self._key], args=[name, self._alive, round(_KEPT * 1000)])
        return frozenset({name, *(each.decode() for each in cast("list[bytes]", found))})
