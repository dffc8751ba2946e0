"""When each loop of the keeper last turned; /metrics shows it, and /healthz asks it.

A loop turns when it has done one round, and while it waits for the next. So does one that LiveKit
has answered within a round, or that has waited for it in vain: slow is not stuck.
"""

import threading
from collections.abc import Callable

LOOPS = ("look", "peek", "sweep", "beat", "life")
# Seconds. A loop that waits turns every few, and a call to LiveKit ends before.
STUCK_AFTER = 30.0


class Turns:
    """Notes turns, by the thread (here a greenlet) that makes them. Thread-safe.

    Args:
        show: Is told, after each turn of a loop, how many seconds ago the one of its threads that
            has not turned for longest did so.
        clock: Seconds that never go back.
    """

    def __init__(self, show: Callable[[str, float], None], clock: Callable[[], float]) -> None:
        self._show, self._clock = show, clock
        self._lock = threading.Lock()
        self._loops: dict[int, str] = {}  # by thread
        self._last: dict[int, float] = {}

    def begin(self, loop: str) -> None:
        """Note that this thread is one of that loop; one that begins again has not turned by it."""
        thread = threading.get_ident()
        with self._lock:
            self._loops[thread] = loop
            self._last.setdefault(thread, self._clock())
            self._tell(loop)

    def turned(self) -> None:
        """Note that this thread's loop has turned; a thread of a request has none."""
        thread = threading.get_ident()
        if not (loop := self._loops.get(thread)):
            return
        with self._lock:
            self._last[thread] = self._clock()
            self._tell(loop)

    def end(self) -> None:
        """Note that this thread was told to stop."""
        with self._lock:
            self._loops.pop(threading.get_ident(), None)
            self._last.pop(threading.get_ident(), None)

    def stuck(self) -> list[str]:
        """Name the loops of which no thread has turned for too long."""
        with self._lock:
            since = self._clock() - STUCK_AFTER
            running = [loop for loop in LOOPS if loop in self._loops.values()]
            return [loop for loop in running if max(self._of(loop)) < since]

    def _tell(self, loop: str) -> None:
        self._show(loop, self._clock() - min(self._of(loop)))

    def _of(self, loop: str) -> list[float]:
        return [self._last[thread] for thread, name in self._loops.items() if name == loop]
