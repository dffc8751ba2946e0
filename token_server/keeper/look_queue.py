"""The schedule of one process, shared by the threads that look and those that answer requests."""

import time
from collections.abc import Callable, Container
from threading import Condition, Lock

from token_server.keeper.following import Awaited, Due, close_gap
from token_server.keeper.schedule import Looked, Schedule
from token_server.livekit.pace import Purpose

# Asked for a room: one, or None and for how long there is none (None: till told).
_Take = Callable[[float], tuple[Due | None, float | None]]


class Agenda:
    """A schedule that threads wait at. Nothing slow happens under its lock.

    Attributes:
        take: Waits for the next room to look at; None if none was due within so many seconds.
        take_peek: Waits for the next room to peek at, likewise.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._lock = Lock()
        self._looks = _Queue(self._lock, schedule.take)
        self._peeks = _Queue(self._lock, schedule.take_peek)
        self.take, self.take_peek = self._looks.take, self._peeks.take

    def look_now(self, room_name: str) -> None:
        """Have the room looked at as soon as a thread is free."""
        with self._lock:
            self._schedule.look_now(room_name)
            self._looks.tell()

    def look_in(self, room_name: str, seconds: float, purpose: Purpose = Purpose.WAITING) -> None:
        """Have the room looked at by then, or earlier if that is planned already."""
        with self._lock:
            due = time.monotonic() + seconds
            self._schedule.look_at(room_name, due, purpose)
            self._looks.tell_if_sooner(due)

    def follow(self, room_name: str, awaited: Awaited) -> None:
        """Have the room peeked at now and then until somebody has come."""
        with self._lock:
            now = time.monotonic()
            self._schedule.follow(room_name, awaited, now)
            self._peeks.tell_if_sooner(now + close_gap(0.0))
            self._looks.tell_if_sooner(now + close_gap(0.0))

    def peeked(self, room_name: str, *, is_empty: bool) -> None:
        """Go on after a peek: where somebody is, a look follows at once."""
        with self._lock:
            self._schedule.peeked(room_name, time.monotonic(), is_empty=is_empty)
            if not is_empty:
                self._looks.tell()

    def finish(self, room_name: str, looked: Looked) -> None:
        """Put a room back that was taken; whoever does so takes the next one."""
        with self._lock:
            self._schedule.finish(room_name, looked, time.monotonic())
            self._peeks.tell_if_sooner(self._schedule.following.next_due())

    def fail(self, room_name: str) -> int:
        """Put a room back whose look has failed; return how often in a row it has."""
        with self._lock:
            return self._schedule.fail(room_name, time.monotonic())

    def fail_peek(self, room_name: str) -> int:
        """Have a room looked at whose peek has failed; return how often in a row it has."""
        with self._lock:
            failures = self._schedule.fail_peek(room_name, time.monotonic())
            self._looks.tell_if_sooner(self._schedule.next_due())
            return failures

    def forgive(self, unless: Container[str]) -> None:
        """Have the rooms whose looks have failed looked at again at once, but these."""
        with self._lock:
            self._schedule.forgive(time.monotonic(), unless)
            self._looks.tell()

    @property
    def rooms_followed(self) -> int:
        """How many rooms are followed."""
        return len(self._schedule.following)

    def close(self) -> None:
        """Send every thread that waits in `take` or `take_peek` home."""
        with self._lock:
            self._looks.close()
            self._peeks.close()


class _Queue:
    """Threads that wait for rooms of one kind. All but `take` is called with the lock held."""

    def __init__(self, lock: Lock, take: _Take) -> None:
        self._take, self._lock = take, lock
        self._changed = Condition(lock)
        # Earliest time-out among the waiting threads. The others wait to be notified.
        self._wakes_at = float("inf")
        self._is_closed = False

    def take(self, within: float) -> Due | None:
        with self._lock:
            gives_up_at = time.monotonic() + within
            while not self._is_closed:
                now = time.monotonic()
                due, wait = self._take(now)
                if due is not None:
                    # Somebody else is to mind the rest meanwhile.
                    self._changed.notify()
                    return due
                if now >= gives_up_at:
                    return None
                self._wait(wait, gives_up_at - now)
            return None

    def tell(self) -> None:
        self._changed.notify()

    def tell_if_sooner(self, due: float) -> None:
        # A token's room is due later than others: no thread needs to wake for each token.
        if due < self._wakes_at:
            self._changed.notify()

    def close(self) -> None:
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
