from datetime import UTC, datetime
from email.utils import format_datetime

from token_server.server_clock import ServerClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Time:
    """Our own clocks, which the test moves."""

    def __init__(self) -> None:
        self.passed = 0.0

    def wall(self) -> float:
        """An hour behind LiveKit's."""
        return NOON.timestamp() - 3600 + self.passed

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
        clock.learn(header(seconds))
    return clock


def test_the_largest_offset_of_many_answers_is_the_best() -> None:
    """The header is cut to whole seconds: each one understates, by up to a second."""
    clock = learned(Time(), (0.9, 0), (1.1, 1), (1.8, 1))

    assert -0.1 <= clock.now().timestamp() - (NOON.timestamp() + 1.8) <= 0


def test_a_clock_that_is_set_back_is_followed_within_a_minute() -> None:
    """Somebody mends LiveKit's clock, or ours: the best guess of long ago is wrong then."""
    clock = learned(Time(), (0, 600), (61, 61))

    assert abs(clock.now().timestamp() - (NOON.timestamp() + 61)) < 1
