"""One loop of the keeper in a thread of its own; when it dies it is started again, and seen."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from token_server.keeper.schedule import pause
from token_server.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

# Seconds. A loop that waits for longer turns meanwhile.
LONGEST_WAIT = 5.0


class Loop:
    """Makes turns until it is told to stop.

    Args:
        name: One of turns.LOOPS.
        turn: One round; returns the seconds to wait until the next.
        stopping: Set when it is to stop.
        metrics: Who shows its turns and its deaths.
    """

    def __init__(
        self, name: str, turn: Callable[[], float], stopping: Event, metrics: Metrics
    ) -> None:
        self._name, self._turn, self._stopping = name, turn, stopping
        self._metrics, self._turns = metrics, metrics.turns
        self._has_turned = False
        self._thread = Thread(target=self._run, name=f"keeper-{name}", daemon=True)

    def start(self) -> None:
        """Start turning."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait until it has stopped, for so long at most."""
        self._thread.join(timeout=seconds)

    def _run(self) -> None:
        deaths = 0
        while not self._stopping.is_set():
            try:
                self._go_on()
            # Whatever ends it, rooms must not be left to nobody.
            except BaseException as error:  # noqa: BLE001
                deaths = 1 if self._has_turned else deaths + 1
                self._tell(error)
                self._stopping.wait(pause(deaths))
        self._turns.end()

    def _go_on(self) -> None:
        self._has_turned = False
        self._turns.begin(self._name)
        while not self._stopping.is_set():
            wait = self._turn()
            self._turns.turned()
            self._has_turned = True
            self._wait(wait)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopping.is_set():
            self._stopping.wait(min(left, LONGEST_WAIT))
            self._turns.turned()

    def _tell(self, error: BaseException) -> None:
        # Where memory has run out, telling may fail as well.
        with suppress(BaseException):
            self._metrics.loop_deaths.labels(self._name).inc()
            logger.error(
                "The keeper's loop has died and is started again",
                exc_info=error,
                extra={"loop": self._name},
            )
