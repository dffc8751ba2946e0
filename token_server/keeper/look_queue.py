"""The schedule of one process, shared by the threads that look and those that answer requests."""

import time
from collections.abc import Container
from threading import Condition

from token_server.keeper.schedule import Awaited, Looked, Schedule
from token_server.livekit.pace import Purpose


class Agenda:
    """A schedule that threads wait at. Nothing slow happens under its lock."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._changed = Condition()
        # Earliest time-out among the waiting lookers. The others wait to be notified.
        self._wakes_at = float("inf")
        self._is_closed = False

    def look_now(self, room_name: str) -> None:
        """Have the room looked at as soon as a thread is free."""
        with self._changed:
            self._schedule.look_now(room_name)
            self._changed.notify()

    def look_in(self, room_name: str, seconds: float, purpose: Purpose = Purpose.WAITING) -> None:
        """Have the room looked at by then, or earlier if that is planned already."""
        with self._changed:
            self._schedule.look_at(room_name, time.monotonic() + seconds, purpose)
            self._notify_if_sooner()

    def follow(self, room_name: str, awaited: Awaited) -> None:
        """Have the room looked at now and then until somebody has come."""
        with self._changed:
            self._schedule.follow(room_name, awaited, time.monotonic())
            self._notify_if_sooner()

    def take(self, within: float) -> str | None:
        """Wait for the next room to look at; None if none was due within so many seconds."""
        with self._changed:
            gives_up_at = time.monotonic() + within
            while not self._is_closed:
                now = time.monotonic()
                room_name, wait = self._schedule.take(now)
                if room_name is not None:
                    # Somebody else is to mind the rest meanwhile.
                    self._changed.notify()
                    return room_name
                if now >= gives_up_at:
                    return None
                self._wait(wait, gives_up_at - now)
            return None

    def finish(self, room_name: str, looked: Looked) -> None:
        """Put a room back that was taken; whoever does so takes the next one."""
        with self._changed:
            self._schedule.finish(room_name, looked, time.monotonic())

    def fail(self, room_name: str) -> int:
        """Put a room back whose look has failed; return how often in a row it has."""
        with self._changed:
            return self._schedule.fail(room_name, time.monotonic())

    def forgive(self, unless: Container[str]) -> None:
        """Have the rooms whose looks have failed looked at again at once, but these."""
        with self._changed:
            self._schedule.forgive(time.monotonic(), unless)
            self._changed.notify()

    @property
    def rooms_followed(self) -> int:
        """How many rooms are followed."""
        return self._schedule.rooms_followed

    def close(self) -> None:
        """Send every thread that waits in `take` home."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wait(self, seconds: float | None, most: float) -> None:
        """Wait for so long, or until told if another thread wakes before that anyway."""
        wakes_at = float("inf") if seconds is None else time.monotonic() + seconds
        if seconds is None or wakes_at >= self._wakes_at:
            self._changed.wait(most)
            return
        self._wakes_at = wakes_at
        try:
            self._changed.wait(min(seconds, most))
        finally:
            self._wakes_at = float("inf")

    def _notify_if_sooner(self) -> None:
        # A token's room is due later than others: no thread needs to wake for each token.
        if self._schedule.next_due() < self._wakes_at:
            self._changed.notify()
