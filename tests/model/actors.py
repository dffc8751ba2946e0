"""Real code that blocks, run bit by bit in virtual time, without a thread."""

from collections.abc import Callable

from greenlet import getcurrent, greenlet

from tests.model.clock import Clock


def pause(seconds: float) -> None:
    """Let the others go on for so long; called by the code that an actor runs."""
    whole_world = getcurrent().parent
    assert whole_world is not None
    whole_world.switch(seconds)


class Actor:
    """Runs a piece of work that pauses now and then, and can be killed at every pause."""

    def __init__(self, clock: Clock, work: Callable[[], None]) -> None:
        self._clock = clock
        self._greenlet = greenlet(work)
        clock.after(0, self._go_on)

    @property
    def is_done(self) -> bool:
        """Whether the work is over."""
        return self._greenlet.dead

    def kill(self) -> None:
        """End it where it is; the operating system frees its locks."""
        if not self.is_done:
            self._greenlet.throw()

    def _go_on(self) -> None:
        if self.is_done:
            return
        seconds = self._greenlet.switch()
        if not self.is_done:
            self._clock.after(seconds, self._go_on)
