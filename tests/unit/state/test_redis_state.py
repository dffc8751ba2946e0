"""What several machines share, where Redis or a process dies."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines import Machines
from tests.processes import wait_until
from tests.redis_server import RedisServer
from token_server.state.redis_state import RedisState


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that this test may kill."""
    with RedisServer(tmp_path) as running:
        yield running


@pytest.fixture
def machines(tmp_path: Path, mortal: RedisServer) -> Iterator[Machines]:
    """Machines that share it."""
    with Machines(tmp_path, mortal.url) as made:
        yield made


def is_free(state: RedisState) -> bool:
    """Whether a process could have the kitchen now."""
    with state.hold_room("kitchen") as is_held:
        return is_held


def test_a_slow_look_keeps_its_room_and_a_dead_process_loses_it(machines: Machines) -> None:
    """Nobody else knows which of the two it is, but for the beats."""
    slow, other = machines.process("a", lease_seconds=0.4), machines.process("b")
    until = time.monotonic() + 1

    with slow.hold_room("kitchen"):
        while time.monotonic() < until:
            slow.beat()
            assert not is_free(other)
        wait_until(lambda: is_free(other), within=5, what="the room is free without beats")


def test_who_was_away_for_too_long_does_not_free_what_others_hold(machines: Machines) -> None:
    """Its key is another's by now."""
    slow, other = machines.process("a", lease_seconds=0.1), machines.process("b")
    with slow.hold_room("kitchen"):
        wait_until(lambda: is_free(other), within=5, what="the lease is over")
        with other.hold_room("kitchen"):
            slow.beat()
            third = is_free(machines.process("c"))

    assert not third


def test_a_restarted_redis_knows_all_again(machines: Machines, mortal: RedisServer) -> None:
    """It remembers nothing, its scripts neither."""
    states = [machines.process("a"), machines.process("b")]
    names = frozenset(state.name for state in states)
    before = [state.meet() for state in states]
    mortal.kill()
    mortal.start()

    after = [state.meet() for state in (*states, *states)]

    assert ([names] * 2, names) == ([before[1], after[3]], after[2])


def test_without_redis_each_machine_locks_for_itself(
    machines: Machines, mortal: RedisServer
) -> None:
    """The processes of one machine still share what they shared before."""
    first, neighbour, far = (machines.process(machine) for machine in ("a", "a", "b"))
    mortal.kill()

    with first.hold_room("kitchen") as is_held:
        held = is_held, is_free(neighbour), is_free(far)
    met = [state.meet() for state in (first, neighbour, far, first)]

    assert (
        (True, False, True),
        frozenset({first.name, neighbour.name}),
        frozenset({far.name}),
    ) == (
        held,
        met[3],
        met[2],
    )


def test_without_redis_each_machine_counts_a_phone_caller(
    machines: Machines, mortal: RedisServer
) -> None:
    """Once, whichever of its processes sees them hear their agent."""
    mortal.kill()

    counted = [machines.process(machine).count_caller("PA_1") for machine in ("a", "a", "b")]

    assert [True, False, True] == counted


def test_redis_is_used_again_when_it_is_back(machines: Machines, mortal: RedisServer) -> None:
    """Nobody restarts token servers for it."""
    states = [machines.process("a"), machines.process("b")]
    mortal.kill()
    during = [state.meet() for state in states]
    mortal.start()

    for state in states:
        state.beat()

    with states[0].hold_room("kitchen"):
        keys, is_second = mortal.keys(), is_free(states[1])
    alone = [frozenset({state.name}) for state in states]
    assert (alone, ["room:kitchen"], False) == (during, keys, is_second)
    states[0].meet()
    assert {state.name for state in states} == states[1].meet()


def test_a_look_that_began_without_redis_ends_with_it(
    machines: Machines, mortal: RedisServer
) -> None:
    """It has nothing to give back."""
    first = machines.process("a")
    mortal.kill()
    with first.hold_room("kitchen") as is_held:
        mortal.start()
        first.beat()

    assert (True, []) == (is_held, mortal.keys())


def test_redis_that_dies_in_the_middle_of_a_look_does_not_disturb_it(
    machines: Machines, mortal: RedisServer
) -> None:
    """What it held ends by itself."""
    first = machines.process("a")
    with first.hold_room("kitchen") as is_held:
        mortal.kill()
        first.beat()

    first.resign()

    assert is_held


def test_who_stops_leaves_nothing_behind(machines: Machines, mortal: RedisServer) -> None:
    """The next one need not wait for a lease to end."""
    first = machines.process("a")
    first.meet()
    during = mortal.keys()

    first.resign()

    assert (["members"], []) == (during, mortal.keys())


def test_webhooks_write_once_a_second_however_many_come(
    machines: Machines, mortal: RedisServer
) -> None:
    """They are the busiest requests of all."""
    first = machines.process("a")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        first.webhook_arrived()
        first.beat()
        time.sleep(0.002)

    assert 2 == mortal.client.info("commandstats")["cmdstat_set"]["calls"]


def test_a_webhook_waits_for_nobody(machines: Machines, mortal: RedisServer) -> None:
    """LiveKit's queue of webhooks is serial: a slow answer delays all that follow."""
    first = machines.process("a")
    mortal.freeze()
    asked_at = time.monotonic()
    first.webhook_arrived()
    last_arrived = first.webhook_last_arrived()
    took = time.monotonic() - asked_at
    mortal.thaw()

    assert (True, True) == (took < 0.1, abs(last_arrived - time.time()) < 2)


def test_the_age_of_a_webhook_is_told_by_redis(machines: Machines, mortal: RedisServer) -> None:
    """The machines' clocks may be minutes apart."""
    first, second = machines.process("a"), machines.process("b")
    first.webhook_arrived()
    first.beat()
    (key,) = mortal.client.scan_iter("*:webhook")
    mortal.client.pexpire(key, mortal.client.pttl(key) - 20_000)

    second.beat()

    assert 20 == pytest.approx(time.time() - second.webhook_last_arrived(), abs=1)


def test_where_redis_clock_was_set_back_the_dead_have_no_share(
    machines: Machines, mortal: RedisServer
) -> None:
    """Another master's clock may be behind: for so long nobody would look at their rooms."""
    first = machines.process("a")
    first.meet()
    (key,) = mortal.client.keys("*:members")
    ahead = (time.time() + 600) * 1000
    mortal.client.zadd(key, {"dead": ahead})

    assert {first.name} == first.meet()


def test_sendings_are_noted_with_what_an_old_redis_knows(
    machines: Machines, mortal: RedisServer
) -> None:
    """Redis 6.0 knows no SET with GET; what it refuses counts as silence, locks and all."""
    first, other = machines.process("a"), machines.process("b")

    noted = [first.note_sending("kitchen") > 60, other.note_sending("kitchen")]

    (key,) = mortal.client.keys("*:sending:*")
    assert ([True, 0.0], True) == (noted, 50 < mortal.client.ttl(key) <= 60)
