"""Real code that blocks, run bit by bit in virtual time, without a thread."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

from greenlet import getcurrent, greenlet

from tests.model.clock import Clock


def pause(seconds: float) -> None:
    """Let the others go on for so long; called by the code that an actor runs."""
    whole_world = getcurrent().parent
    assert whole_world is not None
    whole_world.switch(seconds)


class Actor:
    """Runs a piece of work that pauses now and then, and can be killed at every pause."""

    def __init__(
        self,
        clock: Clock,
        work: Callable[[], None],
        frozen_until: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._clock, self._frozen_until = clock, frozen_until
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
        work = self._greenlet
        if work.dead:
            return
        if (frozen_for := self._frozen_until() - self._clock.now) > 0:
            self._clock.after(frozen_for, self._go_on)
            return
        seconds = work.switch()
        if not work.dead:
            self._clock.after(seconds, self._go_on)


class Actors(Executor):
    """Runs each piece of work that it is given as an actor."""

    def __init__(self, begin: Callable[[Callable[[], Any]], None]) -> None:
        self._begin = begin

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        """Begin a piece of work; nobody waits for it."""
        self._begin(partial(fn, *args, **kwargs))
        return Future()
