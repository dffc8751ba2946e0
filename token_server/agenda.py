"""The schedule of one process, shared by the threads that look and those that answer requests."""

import time
from threading import Condition

from token_server.schedule import Awaited, Looked, Schedule


class Agenda:
    """A schedule that threads wait at. Nothing slow happens under its lock."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._changed = Condition()
        self._is_closed = False

    def look_now(self, room_name: str) -> None:
        """Have the room looked at as soon as a thread is free."""
        with self._changed:
            self._schedule.look_now(room_name)
            self._changed.notify()

    def look_in(self, room_name: str, seconds: float) -> None:
        """Have the room looked at by then, or earlier if that is planned already."""
        with self._changed:
            self._schedule.look_at(room_name, time.monotonic() + seconds)
            self._changed.notify()

    def follow(self, room_name: str, awaited: Awaited) -> None:
        """Have the room looked at now and then until somebody has come."""
        with self._changed:
            self._schedule.follow(room_name, awaited, time.monotonic())
            self._changed.notify()

    def take(self) -> str | None:
        """Wait for the next room to look at; None once the agenda is closed."""
        with self._changed:
            while not self._is_closed:
                room_name, wait = self._schedule.take(time.monotonic())
                if room_name is not None:
                    return room_name
                self._changed.wait(wait)
            return None

    def finish(self, room_name: str, looked: Looked) -> None:
        """Put a room back that was taken."""
        with self._changed:
            self._schedule.finish(room_name, looked, time.monotonic())
            self._changed.notify()

    def close(self) -> None:
        """Send every thread that waits in `take` home."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
