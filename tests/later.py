"""Time that passes when a test says so."""

from collections.abc import Callable


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it once time has passed."""
        self._due.append((self.now + seconds, do))

    def pass_time(self, seconds: float) -> None:
        """Let it pass."""
        self.now += seconds
        while ready := [item for item in self._due if item[0] <= self.now]:
            first = min(ready, key=lambda item: item[0])
            self._due.remove(first)
            first[1]()
