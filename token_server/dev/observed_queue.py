"""honcho's event queue with an ear in it."""

from collections.abc import Callable
from typing import Any


class ObservedQueue:
    """Hands messages on to honcho's loop, and shows each to somebody else first."""

    def __init__(self, events: Any, saw: Callable[[Any], None], tick: Callable[[], None]) -> None:  # noqa: ANN401 (honcho has no types)
        """Wrap honcho's queue.

        Args:
            events: honcho's `multiprocessing.Queue`.
            saw: Called with each message.
            tick: Called about ten times a second, before each wait for a message.
        """
        self._events = events
        self._saw = saw
        self._tick = tick

    def get(self, *, timeout: float) -> Any:  # noqa: ANN401 (honcho has no types)
        """Return the next message; queue.Empty after `timeout` seconds, as honcho expects."""
        self._tick()
        message = self._events.get(timeout=timeout)
        self._saw(message)
        return message

    def put(self, message: Any) -> None:  # noqa: ANN401 (honcho has no types)
        """Add a message; from any thread."""
        self._events.put(message)

    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]:
        """Become the plain queue where honcho's own processes are spawned (macOS), not forked."""
        return _itself, (self._events,)


def _itself(events: Any) -> Any:  # noqa: ANN401 (honcho has no types)
    return events
