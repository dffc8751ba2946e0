"""Which loops turn; every time is an argument here."""

from threading import Thread

import pytest

from token_server.telemetry.turns import STUCK_AFTER, Turns


class Clock:
    """Seconds."""

    now = 1000.0

    def __call__(self) -> float:
        """Tell them."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def shown() -> dict[str, float]:
    """What /metrics shows: seconds since the last turn."""
    return {}


@pytest.fixture
def turns(clock: Clock, shown: dict[str, float]) -> Turns:
    """Nothing has begun."""
    return Turns(shown.__setitem__, clock)


def begin_elsewhere(turns: Turns, loop: str) -> None:
    """Begin a loop in a thread that then dies."""
    thread = Thread(target=turns.begin, args=[loop])
    thread.start()
    thread.join()


def test_a_loop_that_turns_is_not_stuck(turns: Turns, clock: Clock) -> None:
    """However long it has run."""
    turns.begin("beat")
    for _ in range(10):
        clock.now += STUCK_AFTER
        turns.turned()

    assert [] == turns.stuck()


def test_a_loop_that_has_not_turned_for_too_long_is_named(turns: Turns, clock: Clock) -> None:
    """Its thread may be dead, or wait for ever."""
    begin_elsewhere(turns, "sweep")
    turns.begin("beat")
    clock.now += STUCK_AFTER + 1
    turns.turned()

    assert ["sweep"] == turns.stuck()


def test_one_of_several_threads_that_turns_is_enough(turns: Turns, clock: Clock) -> None:
    """Rooms are looked at; that one of the threads does not turn, /metrics shows."""
    begin_elsewhere(turns, "look")
    turns.begin("look")
    clock.now += STUCK_AFTER + 1

    turns.turned()

    assert [] == turns.stuck()


def test_shown_is_the_thread_that_has_not_turned_for_longest(
    turns: Turns, clock: Clock, shown: dict[str, float]
) -> None:
    """One dead thread of four."""
    begin_elsewhere(turns, "look")
    turns.begin("look")
    clock.now += 7

    turns.turned()

    assert {"look": 7.0} == shown


def test_beginning_again_is_no_turn(turns: Turns, clock: Clock) -> None:
    """A loop that dies at each turn looks after nothing."""
    turns.begin("look")
    clock.now += STUCK_AFTER + 1

    turns.begin("look")

    assert ["look"] == turns.stuck()


def test_a_request_is_no_turn(turns: Turns, shown: dict[str, float]) -> None:
    """It calls LiveKit through the same door."""
    turns.turned()

    assert ([], {}) == (turns.stuck(), shown)


def test_what_has_stopped_is_not_stuck(turns: Turns, clock: Clock) -> None:
    """A process that is told to go answers its last health check."""
    turns.begin("look")
    turns.end()
    clock.now += STUCK_AFTER + 1

    assert [] == turns.stuck()
