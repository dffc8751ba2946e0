"""One Redis for all units that only ask it; those that kill it start their own."""

from collections.abc import Iterator

import pytest

from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that stays up."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running
