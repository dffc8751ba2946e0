"""The last words of all machines' workers, in the Redis that they share: a key each, and an index.

Times are by Redis' own clock there, and told by ours: the machines' clocks may differ. While Redis
is away nothing is known: what one machine has heard alone would be half of it.
"""

from typing import cast

from redis import Redis

from token_server.state.redis_link import RedisLink
from token_server.state.workers import (
    FORGOTTEN_AFTER,
    MOST_WORKERS,
    KnownWorker,
    Told,
    Word,
    those_to_show,
)

_KEPT = round(FORGOTTEN_AFTER)


class WorkersRedis:
    """A store for all machines.

    Args:
        link: The way to Redis.
        prefix: Of every key.
    """

    def __init__(self, link: RedisLink, prefix: str) -> None:
        self._link = link
        self._word, self._index = f"{prefix}worker:", f"{prefix}workers"
        self._since = f"{prefix}workers-since"

    def of(self, process: str, now: float) -> KnownWorker | None:
        """Return the last word of one process, if any is kept."""
        return self._link.ask_or(lambda redis: self._read_one(redis, process, now), otherwise=None)

    def put(self, word: Word, now: float, *, is_first: bool) -> None:
        """Keep a word; lost while Redis does not answer."""
        del now
        self._link.ask_or(lambda redis: self._write(redis, word, is_first=is_first), otherwise=None)

    def read(self, now: float) -> Told:
        """Return all that is kept; nothing while Redis does not answer."""
        nothing = Told((), now, now)
        return self._link.ask_or(lambda redis: self._read(redis, now), otherwise=nothing)

    def _write(self, redis: Redis, word: Word, *, is_first: bool) -> None:
        there = _time(redis.time())
        pipeline = redis.pipeline(transaction=False)
        pipeline.set(f"{self._word}{word.process}", word.model_dump_json(), ex=_KEPT)
        pipeline.zadd(self._index, {word.process: there})
        pipeline.zremrangebyscore(self._index, "-inf", there - FORGOTTEN_AFTER)
        pipeline.zremrangebyrank(self._index, 0, -MOST_WORKERS - 1)
        pipeline.expire(self._index, _KEPT)
        pipeline.set(self._since, there, ex=_KEPT, nx=not is_first)
        pipeline.expire(self._since, _KEPT)
        pipeline.execute()

    def _read_one(self, redis: Redis, process: str, now: float) -> KnownWorker | None:
        pipeline = redis.pipeline(transaction=False)
        pipeline.time()
        pipeline.get(f"{self._word}{process}")
        pipeline.zscore(self._index, process)
        clock, text, heard_at = pipeline.execute()
        return None if heard_at is None else _known(text, heard_at + now - _time(clock))

    def _read(self, redis: Redis, now: float) -> Told:
        pipeline = redis.pipeline(transaction=False)
        pipeline.time()
        pipeline.get(self._since)
        pipeline.zrange(self._index, 0, -1, withscores=True)
        clock, since, index = pipeline.execute()
        if since is None or not index:
            return Told((), now, now)
        ahead = now - _time(clock)
        keys = [f"{self._word}{process.decode()}" for process, _ in index]
        words = cast("list[bytes | None]", redis.mget(keys))
        found = [
            _known(text, heard_at + ahead) for text, (_, heard_at) in zip(words, index, strict=True)
        ]
        return Told(those_to_show(found, now), float(since) + ahead, now)


def _time(told: object) -> float:
    seconds, microseconds = cast("tuple[int, int]", told)
    return seconds + microseconds / 1e6


def _known(text: bytes | None, heard_at: float) -> KnownWorker | None:
    try:
        return KnownWorker(Word.model_validate_json(text), heard_at) if text else None
    except ValueError:  # another version's
        return None
