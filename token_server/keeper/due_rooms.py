"""Rooms by when they are due, and how many looks a second they get. No I/O, no clock."""

import heapq
import itertools
from collections import OrderedDict

# Entries of a heap beyond twice as many as rooms are planned.
_STALE_KEPT = 100


class Plan:
    """Rooms by when they are due, each once."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self._heap: list[tuple[float, int, str]] = []  # valid where _due agrees
        self._due: OrderedDict[str, float] = OrderedDict()  # the longest planned first

    def __len__(self) -> int:
        """Return how many rooms are planned."""
        return len(self._due)

    def add(self, room_name: str, due: float) -> None:
        """Plan a room for then, unless it is planned for earlier."""
        if due < self._due.get(room_name, float("inf")):
            self._due[room_name] = due
            heapq.heappush(self._heap, (due, next(self._order), room_name))
            if len(self._heap) > 2 * len(self._due) + _STALE_KEPT:
                # What was dropped lies at the bottom, which a flood never reaches.
                self._heap = [(at, next(self._order), name) for name, at in self._due.items()]
                heapq.heapify(self._heap)

    def drop(self, room_name: str) -> bool:
        """Plan a room no more; whether it was planned."""
        return self._due.pop(room_name, None) is not None

    def longest(self) -> str | None:
        """Return the room that has been planned for longest, None if none is."""
        return next(iter(self._due), None)

    def next_due(self) -> float:
        """Return a time before which no room is due."""
        return self._heap[0][0] if self._heap else float("inf")

    def take(self, now: float) -> str | None:
        """Take out the room that has been due for longest, None if none is."""
        while self._heap and self._heap[0][0] <= now:
            due, _, room_name = heapq.heappop(self._heap)
            if self._due.get(room_name) == due:
                del self._due[room_name]
                return room_name
        return None


class Budget:
    """So many looks a second; those of one second can be saved."""

    def __init__(self, looks_per_second: float) -> None:
        self._rate, self._saved, self._earned_at = looks_per_second, 1.0, 0.0

    def earn(self, now: float) -> None:
        """Add what has been earned since the last time."""
        # Who looks ahead has earned that time already: it is not earned again.
        earned = max(0.0, now - self._earned_at) * self._rate
        self._saved = min(self._saved + earned, self._rate)
        self._earned_at = max(now, self._earned_at)

    def spend(self, price: float) -> None:
        """Pay for a look; its price may be more than what is there."""
        self._saved -= price

    def wait(self) -> float:
        """Return the seconds until the next look can be paid."""
        return max((1.0 - self._saved) / self._rate, 0.0)
