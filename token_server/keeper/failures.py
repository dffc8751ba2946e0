"""How often in a row somebody's agent has failed, and when the next one may come. Pure, no I/O.

It is written among the attributes of each human who waits: LiveKit is the only store. So every
process sees it, it outlasts them all, and a human who joins anew starts anew. Whoever may change
their own attributes can only make their own agent come sooner or later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from token_server.livekit.port import Participant

FAILURES_ATTRIBUTE = "token_server.agent_failures"
_A_LOOP = 3
# The first is followed by another agent at once.
_PAUSED_FROM = 2
# An agent that was there for so long did not fail as it came.
_LIVED_LONG = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(seconds=60)
_MOST_DOUBLINGS = 6


@dataclass(frozen=True, kw_only=True)
class Failures:
    """Agents of one name that went soon, or whose job was refused or raised, one after the other.

    Attributes:
        in_a_row: How many.
        last_at: When the last one did, by LiveKit's clock; None if none has.
    """

    in_a_row: int = 0
    last_at: datetime | None = None

    @property
    def next_at(self) -> datetime | None:
        """When the next one may be sent; None: at once. The pauses are 0, 1, 2, 4 … 60 s."""
        if self.last_at is None or self.in_a_row < _PAUSED_FROM:
            return None
        doublings = min(self.in_a_row - _PAUSED_FROM, _MOST_DOUBLINGS)
        return self.last_at + min(timedelta(seconds=2**doublings), _LONGEST_PAUSE)

    @property
    def are_a_loop(self) -> bool:
        """Whether people are to be told."""
        return self.in_a_row >= _A_LOOP

    def and_another(self, now: datetime, lived: timedelta) -> "Failures":
        """Count one more, after an agent that was there for so long."""
        before = 0 if lived >= _LIVED_LONG else self.in_a_row
        return Failures(in_a_row=before + 1, last_at=now)

    def to_attribute(self) -> str:
        """Write it: how many, and the milliseconds since 1970 of the last."""
        last_at = self.last_at.timestamp() if self.last_at else 0.0
        return f"{self.in_a_row} {last_at * 1000:.0f}"


NO_FAILURES = Failures()


def failures_of(attributes: Mapping[str, str], now: datetime) -> Failures:
    """Read what a human's attributes say; what makes no sense is no failure."""
    count, _, milliseconds = attributes.get(FAILURES_ATTRIBUTE, "").partition(" ")
    try:
        last_at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
        in_a_row = int(count)
    except (ValueError, OverflowError, OSError):
        return NO_FAILURES
    is_possible = in_a_row > 0 and last_at <= now + _LONGEST_PAUSE
    return Failures(in_a_row=in_a_row, last_at=last_at) if is_possible else NO_FAILURES


def fewest_failures(humans: Iterable[Participant], now: datetime) -> Failures:
    """Return what counts for several humans: who has just come has seen no agent fail."""
    found = (failures_of(human.attributes, now) for human in humans)
    return min(found, key=lambda failures: failures.in_a_row, default=NO_FAILURES)
