"""The rooms of persons on all machines, in the Redis that they share: a hash for each person.

Times are by Redis' own clock: the machines' may differ.
"""

from collections.abc import Mapping
from typing import Any

from token_server.state.redis_link import RedisLink
from token_server.state.sessions import MADE, Claim, Outcome, SessionStore

# Seconds after a person's last claim; a day's flood of persons must not stay in Redis for ever.
_KEPT = 24 * 3600
_NO_ANSWER = object()

_CLAIM = """
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local is_known = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1
if not is_known and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then
  return {'FULL', at, redis.call('HGETALL', KEYS[1])}
end
redis.call('HSET', KEYS[1], ARGV[1], at)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {is_known and 'KNOWN' or 'NEW', at, {}}
"""
_MADE = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
"""
_FORGET = """
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
"""


class SessionsRedis:
    """A store for all machines; without Redis' answer each machine goes on by itself.

    Args:
        link: The way to Redis.
        prefix: Of every key.
        machine: This machine's own store.
    """

    def __init__(self, link: RedisLink, prefix: str, machine: SessionStore) -> None:
        self._link, self._prefix, self._machine = link, f"{prefix}sessions:", machine

    def claim(self, person: str, room_name: str, most: int) -> Claim:
        """Note that a room is being made for a person, unless they have so many others."""
        answer = self._run(_CLAIM, person, room_name, most, _KEPT)
        if answer is _NO_ANSWER:
            return self._machine.claim(person, room_name, most)
        outcome, at, rooms = answer
        pairs = zip(rooms[::2], rooms[1::2], strict=True)
        theirs = {name.decode(): int(claimed_at) for name, claimed_at in pairs}
        return Claim(Outcome[outcome.decode()], int(at), theirs)

    def made(self, person: str, room_name: str, at: int) -> None:
        """Note that LiveKit has the room that was claimed then, and not since."""
        if self._run(_MADE, person, room_name, at, MADE) is _NO_ANSWER:
            self._machine.made(person, room_name, at)

    def forget(self, person: str, rooms: Mapping[str, int]) -> None:
        """Take these rooms from a person's, if they are still known just so."""
        parts = (part for pair in rooms.items() for part in pair)
        if self._run(_FORGET, person, *parts) is _NO_ANSWER:
            self._machine.forget(person, rooms)

    def _run(self, script: str, person: str, *arguments: str | int) -> Any:  # noqa: ANN401 (Lua's)
        key = f"{self._prefix}{person}"
        texts = [str(argument) for argument in arguments]
        ask = self._link.ask_or
        return ask(lambda redis: redis.eval(script, 1, key, *texts), otherwise=_NO_ANSWER)
