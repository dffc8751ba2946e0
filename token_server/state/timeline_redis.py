"""The timelines of several machines: one list a room in the Redis that they share."""

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from redis import Redis

from token_server.state.redis_link import RedisLink
from token_server.state.timeline import MOST_ENTRIES, Entry
from token_server.state.timeline_entries import entry_of, from_json

# A flood of tokens for fresh rooms must not fill Redis: the rooms longest without news go first.
_MOST_ROOMS = 10_000
_DROPPED_AT_ONCE = 1_000
# Of a row: when it was written, and an Entry without its room. Whoever wants other rows takes
# another key; more at the end is passed over by those who do not know it.
_COLUMNS = 6


class TimelineRedis:
    """A shelf for all machines; while Redis is away, nothing is read or written.

    Args:
        link: The way to Redis.
        prefix: Of every key.
        keep: How long after its last entry a room's are kept.
    """

    def __init__(self, link: RedisLink, prefix: str, keep: timedelta) -> None:
        self._link, self._keep = link, keep
        self._prefix = f"{prefix}timeline:"
        self._rooms = f"{prefix}timelines"

    def put(self, entries: Sequence[Entry]) -> bool:
        """Keep them; False while Redis does not answer."""
        return self._link.ask_or(lambda redis: self._write(redis, entries), otherwise=False)

    def of(self, room_name: str) -> Sequence[Entry]:
        """Return the last entries of a room; none while Redis does not answer."""
        key = f"{self._prefix}{room_name}"
        lines = self._link.ask_or(lambda redis: redis.lrange(key, 0, -1), otherwise=[])
        since = time.time() - self._keep.total_seconds()
        found = [_entry(room_name, line, since) for line in cast("list[bytes]", lines)]
        return [entry for entry in found if entry]

    def _write(self, redis: Redis, entries: Sequence[Entry]) -> bool:
        pipeline, now = redis.pipeline(transaction=False), time.time()
        for room_name, *row in entries:
            pipeline.rpush(f"{self._prefix}{room_name}", json.dumps([now, *row]))
        rooms = {entry.room_name: entry.at for entry in entries}
        for room_name in rooms:
            pipeline.ltrim(f"{self._prefix}{room_name}", -MOST_ENTRIES, -1)
            pipeline.expire(f"{self._prefix}{room_name}", self._keep)
        pipeline.zadd(self._rooms, cast("dict[Any, float]", rooms))
        pipeline.expire(self._rooms, self._keep)
        pipeline.zcard(self._rooms)
        too_many = int(pipeline.execute()[-1]) - _MOST_ROOMS
        if too_many > 0:
            self._drop(redis, min(too_many, _DROPPED_AT_ONCE))
        return True

    def _drop(self, redis: Redis, number: int) -> None:
        dropped = cast("list[tuple[bytes, float]]", redis.zpopmin(self._rooms, number))
        if dropped:
            redis.delete(*(self._prefix.encode() + room_name for room_name, _ in dropped))


def _entry(room_name: str, line: bytes, since: float) -> Entry | None:
    """Read one row; later versions may add to its end, or keep something else beside it."""
    row = from_json(line)
    if not isinstance(row, list) or len(row) < _COLUMNS:
        return None
    written_at, *known = row[:_COLUMNS]
    if not isinstance(written_at, int | float) or written_at < since:
        return None
    return entry_of(room_name, known)
