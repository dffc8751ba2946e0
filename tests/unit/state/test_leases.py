"""Leases, where two threads of one process meet."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from redis import Redis

from tests.redis_server import RedisServer
from token_server.state.leases import Leases
from token_server.state.machine_state import file_lock
from token_server.state.redis_link import RedisLink

T = TypeVar("T")


class BusyLink(RedisLink):
    """A way to Redis on which something else happens before the answer to the next question."""

    before: list[Callable[[], None]]

    def ask(self, question: Callable[[Redis], T]) -> T:
        """Let it happen, then ask."""
        if self.before:
            self.before.pop()()
        return super().ask(question)


def test_a_lease_that_is_taken_anew_while_the_old_one_is_renewed_is_kept(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Or nobody would renew it, nor give it back."""
    link = BusyLink(redis.url, file_lock(tmp_path / "voice"))
    link.before = []
    leases = Leases(link, f"{tmp_path.name}:")

    def take_anew() -> None:
        leases.give_back("kitchen")
        leases.take("kitchen")

    leases.take("kitchen")
    link.before.append(take_anew)
    leases.renew()

    leases.give_back("kitchen")
    link.close()
    assert [] == list(redis.client.scan_iter(f"{tmp_path.name}:*"))
