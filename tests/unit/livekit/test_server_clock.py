from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from token_server.livekit.server_clock import ServerClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Time:
    """Our own clocks, which the test moves; so many seconds behind LiveKit's."""

    def __init__(self, behind: float = 3600.0) -> None:
        self.passed, self._behind = 0.0, behind

    def wall(self) -> float:
        """What our clock shows."""
        return NOON.timestamp() - self._behind + self.passed

    def monotonic(self) -> float:
        """Seconds since the start."""
        return 1000 + self.passed


def header(seconds_after_noon: int) -> str:
    """A Date header of LiveKit's."""
    return format_datetime(datetime.fromtimestamp(NOON.timestamp() + seconds_after_noon, UTC))


def learned(time: Time, *answers: tuple[float, int]) -> ServerClock:
    """A clock that has seen answers: when, and with which header."""
    clock = ServerClock(time.wall, time.monotonic)
    for passed, seconds in answers:
        time.passed = passed
        clock.learn(header(seconds), asked_at=time.wall() - 0.01)
    return clock


def test_the_largest_offset_of_many_answers_is_the_best() -> None:
    """The header is cut to whole seconds: each one understates, by up to a second."""
    clock = learned(Time(), (0.9, 0), (1.1, 1), (1.8, 1))

    assert -0.1 <= clock.now().timestamp() - (NOON.timestamp() + 1.8) <= 0


def test_a_clock_that_is_set_back_is_followed_within_a_minute() -> None:
    """Somebody mends LiveKit's clock, or ours: the best guess of long ago is wrong then."""
    clock = learned(Time(), (0, 600), (61, 61))

    assert abs(clock.now().timestamp() - (NOON.timestamp() + 61)) < 1


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_clock_that_is_set_wrong_by_much_is_followed_at_once(seconds: int) -> None:
    """Tokens of the other time are refused: there is no minute to wait."""
    clock = learned(Time(), (0, 0), (1, seconds + 1))

    assert abs(clock.now().timestamp() - (NOON.timestamp() + seconds + 1)) < 1


@pytest.mark.parametrize("behind", [0.0, -0.004, 0.004])
def test_a_clock_that_is_right_is_believed_at_once(behind: float) -> None:
    """Timelines of several processes are read side by side, and one may have asked only once."""
    clock = learned(Time(behind), (0.7, 0))

    assert abs(clock.now().timestamp() - (NOON.timestamp() + 0.7)) < 0.01


@pytest.mark.parametrize("behind", [0.3, -0.3])
def test_a_clock_that_is_a_little_off_is_found_out(behind: float) -> None:
    """By an answer just after, or just before, LiveKit's second is full."""
    answers = [(tenths / 10 + 0.05, tenths // 10) for tenths in range(20)]

    clock = learned(Time(behind), *answers)

    assert -0.1 <= clock.now().timestamp() - (NOON.timestamp() + 1.95) <= 0.0


def test_a_slow_answer_does_not_set_the_clock() -> None:
    """Its header is older than it looks."""
    time = Time(behind=0.0)
    clock = learned(time, (0.5, 0))
    time.passed = 4.0

    clock.learn(header(1), asked_at=time.wall() - 2.8)

    assert clock.now().timestamp() == NOON.timestamp() + 4.0


@pytest.mark.parametrize("year", ["1600", "9999"])
def test_a_time_that_no_date_can_have_is_not_believed(year: str) -> None:
    """A second more than the last of all would be no time at all, for each token from then on."""
    clock = learned(Time(), (0, 0))

    clock.learn(f"Fri, 31 Dec {year} 23:59:59 GMT", asked_at=NOON.timestamp() - 3600)

    assert abs(clock.now().timestamp() - NOON.timestamp()) < 1
