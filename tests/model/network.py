"""What befalls the calls of the token servers to LiveKit."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class Fault(Enum):
    """What may befall a call."""

    NOT_DONE = "refused at once, and nothing was done"
    TIMED_OUT = "no answer, and nothing was done"
    DONE_THOUGH = "it was done, but the caller gets an error"
    SLOW = "it takes a second either way"


@dataclass
class Network:
    """What befalls the calls of all token servers.

    Attributes:
        faults: Of the next calls, in order; None is a call that works.
        slowest: Seconds that a good call may take, there and back.
        calls: How many there were, by room.
        surprises: What happens just before the next call of a name is done.
    """

    faults: deque[Fault | None] = field(default_factory=deque)
    slowest: float = 0.02
    is_down: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    surprises: dict[str, Callable[[], None]] = field(default_factory=dict)

    def next_fault(self) -> Fault | None:
        """Return what befalls the next call."""
        if self.is_down:
            return Fault.NOT_DONE
        return self.faults.popleft() if self.faults else None
