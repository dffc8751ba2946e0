"""At which age of their token humans come, learnt from the latest. No I/O, no clock.

The humans of one product are much alike: the same page, and networks of one kind. A peek in each
hundredth of a second is too much for three seconds, and little for the few in which they come.
"""

from collections import deque

# Humans from whom is learnt; one in so many of them is early, and as many are late.
_LATEST = 20
_OUTLIERS = 6
# Seconds between two peeks in the time in which the others came; a dozen peeks at the most.
_SHORTEST_STEP, _STEPS = 0.01, 12


class UsualArrivals:
    """The time in which the latest humans came, in seconds after their tokens."""

    def __init__(self) -> None:
        self._latest: deque[tuple[float, float]] = deque(maxlen=_LATEST)
        self._begin = self._end = 0.0

    def came(self, after: float, by: float) -> None:
        """Learn of a human: nobody was there at the first age, and they were at the second."""
        self._latest.append((after, by))
        outliers = len(self._latest) // _OUTLIERS
        self._begin = sorted(after for after, _ in self._latest)[outliers]
        self._end = sorted(by for _, by in self._latest)[-1 - outliers]

    def gap(self, age: float, otherwise: float) -> float:
        """Return the seconds to the next peek at this age; at most as many as otherwise."""
        step = max((self._end - self._begin) / _STEPS, _SHORTEST_STEP)
        if age >= self._end:
            return otherwise
        return min(otherwise, max(self._begin - age, step))
