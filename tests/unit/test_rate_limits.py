"""How often one may ask."""

from pathlib import Path

import pytest
from limits import parse

from tests.redis_server import RedisServer
from token_server.errors import TooManyRequestsError
from token_server.rate_limits import RateLimits, address_of


def count(limits: RateLimits, who: str, most: int = 50) -> int:
    """Ask until it is too often; return how often it was not."""
    for number in range(most):
        try:
            limits.spend("address", who)
        except TooManyRequestsError:
            return number
    return most


def test_everybody_has_the_limit_for_themselves() -> None:
    """One who asks too often takes nothing from the others."""
    limits = RateLimits([parse("3/minute")])

    assert [3, 3] == [count(limits, who) for who in ("192.0.2.1", "192.0.2.2")]


def test_the_tightest_limit_counts() -> None:
    """A burst is one thing, a whole day another."""
    assert 2 == count(RateLimits([parse("5/minute"), parse("2/hour")]), "a")


def test_a_refusal_says_the_rule_and_when_to_come_again() -> None:
    """The header Retry-After comes from it."""
    limits = RateLimits([parse("1/minute")])
    limits.spend("address", "a")

    with pytest.raises(TooManyRequestsError, match="RATE_LIMIT is 1 per 1 minute") as refused:
        limits.spend("address", "a")

    assert 1 <= refused.value.retry_after <= 60


def test_in_redis_two_processes_share_a_limit(tmp_path: Path) -> None:
    """And two machines do."""
    with RedisServer(tmp_path) as redis:
        here, there = (RateLimits([parse("3/minute")], redis.url) for _ in range(2))

        assert [3, 0] == [count(limits, "a") for limits in (here, there)]


def test_without_redis_each_process_counts_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A limit per process is better than none, and better than no tokens."""
    limits = RateLimits([parse("3/minute"), parse("100/hour")], "redis://127.0.0.1:1/0")

    assert 3 == count(limits, "a")
    assert ["Rate limits count in each process: Redis does not answer"] == caplog.messages


@pytest.mark.parametrize(
    ("remote_address", "stands_for"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("unix:", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_stands_for_one_client(remote_address: str | None, stands_for: str) -> None:
    """Whoever has an IPv6 network has 2**64 addresses."""
    assert stands_for == address_of(remote_address)
