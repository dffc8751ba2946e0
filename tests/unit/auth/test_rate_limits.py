"""How often one may ask."""

import gc
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from limits import parse

from tests.machines import Machines
from tests.processes import free_port
from tests.redis_server import RedisServer
from token_server.auth.rate_limits import MemoryCounts, RateLimits
from token_server.errors import TooManyRequestsError
from token_server.state.redis_link import REDIS_TIMEOUT


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
    limits = RateLimits(["3/minute"])

    assert [3, 3] == [count(limits, who) for who in ("192.0.2.1", "192.0.2.2")]


def test_the_tightest_limit_counts() -> None:
    """A burst is one thing, a whole day another."""
    assert 2 == count(RateLimits(["5/minute", "2/hour"]), "a")


def test_a_refusal_says_the_rule_and_when_to_come_again() -> None:
    """The header Retry-After comes from it."""
    limits = RateLimits(["1/minute"])
    limits.spend("address", "a")

    with pytest.raises(TooManyRequestsError, match="RATE_LIMIT is 1 per 1 minute") as refused:
        limits.spend("address", "a")

    assert 1 <= refused.value.retry_after <= 60


def test_in_redis_two_processes_share_a_limit(tmp_path: Path) -> None:
    """And two machines do."""
    with RedisServer(tmp_path) as redis, Machines(tmp_path, redis.url) as machines:
        links = [machines.link(machine) for machine in "ab"]
        here, there = (RateLimits(["3/minute"], link) for link in links)

        assert [3, 0] == [count(limits, "a") for limits in (here, there)]


def test_a_refusal_by_redis_says_when_to_come_again(tmp_path: Path) -> None:
    """As one by this process does."""
    with RedisServer(tmp_path) as redis, Machines(tmp_path, redis.url) as machines:
        limits = RateLimits(["1/minute"], machines.link("a"))
        limits.spend("address", "a")

        with pytest.raises(TooManyRequestsError) as refused:
            limits.spend("address", "a")

    assert 1 <= refused.value.retry_after <= 60


def test_without_redis_each_process_counts(tmp_path: Path) -> None:
    """A limit per process is better than none, and better than no tokens."""
    with Machines(tmp_path, f"redis://127.0.0.1:{free_port()}") as machines:
        limits = RateLimits(["3/minute", "100/hour"], machines.link("a"))

        assert 3 == count(limits, "a")


def test_a_redis_that_comes_back_counts_again(tmp_path: Path) -> None:
    """The link to it is tried again by the keeper's beat, for whoever uses it."""
    with RedisServer(tmp_path) as redis, Machines(tmp_path, redis.url) as machines:
        link = machines.link("a")
        limits = RateLimits(["3/minute"], link)
        redis.kill()
        during = count(limits, "a")
        redis.start()
        link.try_again()

        assert (3, 3, 0) == (during, count(limits, "a"), count(limits, "a"))


def test_a_redis_that_hangs_is_waited_for_once(tmp_path: Path) -> None:
    """By all who use it together: each request would be 0.3 s slower."""
    with RedisServer(tmp_path) as redis, Machines(tmp_path, redis.url) as machines:
        limits = RateLimits(["500/minute", "900/hour"], machines.link("a", try_again_after=60))
        redis.freeze()
        asked_at = time.monotonic()
        count(limits, "a", most=100)
        took = time.monotonic() - asked_at
        redis.thaw()

    # 60 s if each waited.
    assert REDIS_TIMEOUT <= took < 5


def addresses(first: int, count: int) -> Iterator[str]:
    """Make up so many different addresses; none is kept here."""
    return (f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64" for number in range(first, count))


def growth(counts: MemoryCounts, whom: Iterator[str]) -> int:
    """Let each of these ask once; return by how many bytes memory has grown."""
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for who in whom:
        counts.spend(who, time.monotonic())
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


def test_memory_does_not_grow_with_the_number_of_addresses() -> None:
    """Who has an IPv6 network has as many as they like."""
    counts = MemoryCounts(parse("3/minute"), most=1000)
    tracemalloc.start()
    try:
        first = growth(counts, addresses(0, 3000))
        more = growth(counts, addresses(3000, 5000))
    finally:
        tracemalloc.stop()

    assert (True, True) == (first < 400_000, more < 10_000), (first, more)


def test_who_has_not_asked_while_a_hundred_thousand_others_have_begins_anew() -> None:
    """Which is what bounded memory costs."""
    limits = RateLimits(["1/hour"])
    limits.spend("address", "a")
    for address in addresses(0, 100_000):
        limits.spend("address", address)

    assert 1 == count(limits, "a")


def test_who_asks_on_is_remembered_whoever_else_comes() -> None:
    """A flood of addresses frees nobody who is at their limit and goes on."""
    counts = MemoryCounts(parse("1/hour"), most=100)
    refused = []
    for number in range(1000):
        if number % 50 == 0:
            refused.append(counts.spend("a", now=1.0) is not None)
        counts.spend(f"other {number}", now=1.0)

    assert [False, *[True] * 19] == refused


def test_many_addresses_free_no_caller() -> None:
    """Each kind has its own memory: a stolen key stays at its limit."""
    limits = RateLimits(["1/hour"])
    limits.spend("caller", "key 0")
    for address in addresses(0, 101_000):
        limits.spend("address", address)

    with pytest.raises(TooManyRequestsError):
        limits.spend("caller", "key 0")


@pytest.mark.parametrize(
    ("asked_at", "now", "seconds"),
    [
        pytest.param([0, 10, 20], 30, 30, id="three in this window: until it is over"),
        pytest.param([0, 10, 20], 59, 1, id="and no longer"),
        pytest.param([0, 10, 20], 61, None, id="the window slides: two of the three are left"),
        pytest.param([0, 10, 20, 61], 62, 18, id="until a second one is out of it"),
        pytest.param([0, 10, 20], 130, None, id="two windows later nothing is left"),
        pytest.param([0, 10], 30, None, id="two of three"),
    ],
)
def test_there_is_room_again_when_it_says(
    asked_at: list[float], now: float, seconds: float | None
) -> None:
    """Three a minute; Retry-After is what a client waits by."""
    counts = MemoryCounts(parse("3/minute"))
    assert [None] * len(asked_at) == [counts.spend("a", at) for at in asked_at]

    found = counts.spend("a", now)

    assert found == (None if seconds is None else pytest.approx(seconds))
    if found is not None:
        assert (True, True) == (
            counts.spend("a", now + found - 0.1) is not None,
            counts.spend("a", now + found + 0.1) is None,
        )
