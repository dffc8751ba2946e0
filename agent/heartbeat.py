"""The beat of a job's event loop: notices a freeze, and ends a process whose loop stands still.

A frozen process (SIGSTOP, a machine that slept) sees a gap and goes on. A loop that stands still in
a process that runs is seen by a thread, which ends the process: its worker knows at once.
"""

import asyncio
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable

from agent.background import start_task

logger = logging.getLogger(__name__)

_BEAT_SECONDS = 0.2
# So that the last lines of the log get out.
_LAST_WORDS_SECONDS = 0.2
# Runs on while the machine sleeps, where the system has such a clock; macOS's other one does, too.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _now() -> float:
    return time.clock_gettime(_CLOCK)


def end_process(thread_id: int) -> None:
    """Say where a thread stands, and end this process at once."""
    frame = sys._current_frames().get(thread_id)  # noqa: SLF001 (the documented way)
    where = "".join(traceback.format_stack(frame)) if frame else ""
    logger.error("the event loop stands still, this process ends\n%s", where)
    time.sleep(_LAST_WORDS_SECONDS)
    os._exit(1)


class Heartbeat:
    """Beats in the event loop that it is started in.

    Args:
        silent_seconds: After how long the keeper takes us for dead; 0 = never. A gap of half of it
            is told to `on_gap`.
        blocked_seconds: How long the loop may stand still; 0 = as long as it likes.
        on_gap: Called after the process was frozen.
        on_blocked: Called with the loop's thread, in a thread of its own, when it stands still.
        clock: Seconds, those asleep included.
    """

    def __init__(
        self,
        *,
        silent_seconds: float,
        blocked_seconds: float,
        on_gap: Callable[[], None] = lambda: None,
        on_blocked: Callable[[int], None] = end_process,
        clock: Callable[[], float] = _now,
    ) -> None:
        self._gap_seconds = silent_seconds / 2
        self._blocked_seconds = blocked_seconds
        self._clock = clock
        self._on_blocked = on_blocked
        self.on_gap = on_gap
        self._missed = 0
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to beat."""
        self._task = start_task(self._beat(), "the heartbeat")
        if self._blocked_seconds:
            watch = threading.Thread(
                target=self._watch, args=(threading.get_ident(),), name="heartbeat", daemon=True
            )
            watch.start()

    async def aclose(self) -> None:
        """Stop; nothing that the process does from now on is watched."""
        self._stopped.set()
        self._task.cancel()

    async def _beat(self) -> None:
        try:
            last = self._clock()
            while True:
                await asyncio.sleep(_BEAT_SECONDS)
                self._missed = 0
                now = self._clock()
                gap, last = now - last - _BEAT_SECONDS, now
                if self._gap_seconds and gap >= self._gap_seconds:
                    logger.warning("was frozen for %.1f s", gap)
                    self.on_gap()
        finally:
            self._stopped.set()

    def _watch(self, thread_id: int) -> None:
        """Count the beats that are missed while we run: time alone says nothing after a freeze."""
        while not self._stopped.wait(_BEAT_SECONDS):
            self._missed += 1
            if self._missed * _BEAT_SECONDS >= self._blocked_seconds:
                self._on_blocked(thread_id)
                return
