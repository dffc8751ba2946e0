"""Virtual time: what is to happen when. Nothing waits."""

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.fakes import START


class Clock:
    """Seconds since the start, and the events to come; also keeps a history for a failure."""

    def __init__(self) -> None:
        self.now = 0.0
        self.history: list[str] = []
        self.is_broken = False
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], object]]] = []

    def after(self, seconds: float, event: Callable[[], object]) -> None:
        """Have something happen so much later."""
        heapq.heappush(self._events, (self.now + seconds, next(self._order), event))

    def run_for(self, seconds: float) -> None:
        """Let time pass, with all that happens meanwhile."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = end

    def at(self, seconds: float) -> datetime:
        """Return that moment as LiveKit would tell it."""
        return START + timedelta(seconds=seconds)

    def tell(self, what: str) -> None:
        """Write a line of history."""
        self.history.append(f"{self.now:8.3f} {what}")

    def require(self, promise: str, *, kept: bool) -> None:
        """Fail with the history where a promise is not kept."""
        if not kept:
            self.is_broken = True
            told = "\n".join(self.history[-150:])
            raise AssertionError(f"{promise}\n{self.now:8.3f} broken\n{told}")
