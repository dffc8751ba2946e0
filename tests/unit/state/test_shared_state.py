"""What token servers share, by both ways: two processes of one machine, and of two machines."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.machines import Machines
from tests.processes import wait_until
from tests.redis_server import RedisServer
from token_server.keeper.first_sends import SendNotes
from token_server.keeper.keeper import SharedState
from token_server.keeper.room_locks import RoomLocks
from token_server.state.machine_state import MachineState
from token_server.state.webhook_signs import Sign


class State(SharedState, RoomLocks, SendNotes, Protocol):
    """All that the keeper and its looker share."""


@pytest.fixture(params=["one machine", "two machines"])
def process(
    request: pytest.FixtureRequest, tmp_path: Path, redis: RedisServer
) -> Iterator[Callable[[str], State]]:
    """Start a process, by its name."""
    with Machines(tmp_path, redis.url) as machines:
        if request.param == "one machine":
            yield lambda _: MachineState(tmp_path)
        else:
            yield machines.process


@pytest.fixture
def first(process: Callable[[str], State]) -> State:
    """One process."""
    return process("first")


@pytest.fixture
def second(process: Callable[[str], State]) -> State:
    """Another process that shares with it."""
    return process("second")


def test_one_process_at_a_time_holds_a_room(first: State, second: State) -> None:
    """Two would send two agents: CreateDispatch never deduplicates (livekit-behaviour 24)."""
    with first.hold_room("kitchen") as is_first, second.hold_room("kitchen") as is_second:
        held = (is_first, is_second)

    assert (True, False) == held


def test_one_thread_at_a_time_holds_a_room(first: State) -> None:
    """The threads of one process are actors like any other."""
    with first.hold_room("kitchen") as is_first, first.hold_room("kitchen") as is_second:
        held = (is_first, is_second)

    assert (True, False) == held


def test_other_rooms_are_free(first: State, second: State) -> None:
    """One slow room does not stop the others."""
    with first.hold_room("kitchen"), second.hold_room("bedroom") as is_held:
        assert is_held


def test_a_released_room_is_free(first: State, second: State) -> None:
    """Also for who could not have it before."""
    with first.hold_room("kitchen"), second.hold_room("kitchen"):
        pass

    with second.hold_room("kitchen") as is_held:
        assert is_held


def test_who_could_not_hold_a_room_does_not_free_it(
    first: State, second: State, process: Callable[[str], State]
) -> None:
    """The way out of the block releases only what was acquired."""
    with first.hold_room("kitchen"):
        with second.hold_room("kitchen"):
            pass
        with process("third").hold_room("kitchen") as is_held:
            assert not is_held


def test_an_error_frees_the_room(first: State, second: State) -> None:
    """LiveKit failing is nothing unusual in a look."""
    with pytest.raises(RuntimeError), first.hold_room("kitchen"):
        raise RuntimeError

    with second.hold_room("kitchen") as is_held:
        assert is_held


def test_all_know_when_an_agent_was_last_sent_to_a_room(first: State, second: State) -> None:
    """Who knows of none need not ask LiveKit before the first one is sent."""
    of_none = first.note_sending("kitchen")
    of_another, of_other_room = second.note_sending("kitchen"), second.note_sending("bedroom")

    assert (True, True) == (of_another < 5, min(of_none, of_other_room) > 3600)


def test_processes_know_of_each_other(first: State, second: State) -> None:
    """They divide the rooms among themselves."""
    first.meet()

    assert {first.name, second.name} == second.meet() == first.meet()

    for state in (first, second):
        state.resign()


def test_who_stops_is_known_to_be_gone_at_once(first: State, second: State) -> None:
    """A restart must not leave rooms to nobody."""
    first.meet()
    before = second.meet()

    first.resign()

    both = frozenset({first.name, second.name})
    assert (both, both - {first.name}) == (before, second.meet())
    second.resign()


def test_who_has_not_come_resigns_in_vain(first: State, second: State) -> None:
    """Every process resigns when it stops."""
    first.meet()

    second.resign()

    assert {first.name} == first.meet()
    first.resign()


def test_who_does_not_beat_any_more_is_gone_soon(first: State, second: State) -> None:
    """Killed or frozen: nobody can tell which."""
    first.meet()
    last_seen_at = time.monotonic()

    wait_until(lambda: second.meet() == {second.name}, within=5, what="it is gone")

    assert time.monotonic() - last_seen_at > 2
    second.resign()


def test_a_webhook_at_one_process_is_known_to_the_other(first: State, second: State) -> None:
    """LiveKit's webhooks reach one of them, tokens are issued by all."""
    before = second.webhook_last_arrived()

    first.webhook_arrived()
    first.beat()
    second.beat()

    assert (0.0, True) == (before, abs(second.webhook_last_arrived() - time.time()) < 2)


def test_what_webhooks_tell_of_is_known_apart(first: State, second: State) -> None:
    """LiveKit may send some events and not others; and a look may contradict them."""
    for sign in (Sign.JOIN, Sign.MISSED):
        first.webhook_arrived(sign)
    first.beat()
    second.beat()

    known = [sign for sign in Sign if abs(second.webhook_last_arrived(sign) - time.time()) < 2]
    assert [Sign.JOIN, Sign.MISSED] == known


def test_a_phone_caller_is_counted_by_one_process(first: State, second: State) -> None:
    """Any process may be the one that sees them hear their agent."""
    counted = [state.count_caller("PA_1") for state in (first, second, first)]

    assert ([True, False, False], True) == (counted, second.count_caller("PA_2"))
