"""What befalls the calls of the token servers to LiveKit."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

# Seconds between two lies about a room.
_APART = 6.0


class Fault(Enum):
    """What may befall a call."""

    NOT_DONE = "refused at once, and nothing was done"
    TIMED_OUT = "no answer, and nothing was done"
    DONE_THOUGH = "it was done, but the caller gets an error"
    SLOW = "it takes a second either way"


class Lie(Enum):
    """How an answer may be wrong (livekit-behaviour 95)."""

    LEFT_OUT = "it leaves out the agents"
    OLD = "it is as it was before the last change"


@dataclass
class Network:
    """What befalls the calls of all token servers.

    Attributes:
        faults: Of the next calls, in order; None is a call that works.
        slowest: Seconds that a good call may take, there and back.
        calls: How many there were, by room.
        lies: How the next lists of participants are wrong, by room. One at a time: what two answers
            agree about is believed.
        surprises: What happens just before the next call of a name is done.
    """

    faults: deque[Fault | None] = field(default_factory=deque)
    slowest: float = 0.02
    is_down: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    lies: dict[str, Lie] = field(default_factory=dict)
    lied_at: dict[str, float] = field(default_factory=dict)
    surprises: dict[str, Callable[[], None]] = field(default_factory=dict)

    def lie_about(self, room_name: str, now: float) -> Lie | None:
        """Return how the answer of now is wrong; never two within some time."""
        if now - self.lied_at.get(room_name, -_APART) < _APART:
            return None
        lie = self.lies.pop(room_name, None)
        if lie:
            self.lied_at[room_name] = now
        return lie

    def next_fault(self) -> Fault | None:
        """Return what befalls the next call."""
        if self.is_down:
            return Fault.NOT_DONE
        return self.faults.popleft() if self.faults else None
