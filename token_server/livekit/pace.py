"""How many requests a minute LiveKit may be asked, and who comes first when that is little."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum


class Purpose(IntEnum):
    """What a request to LiveKit is for; the lesser comes first."""

    WAITING = 0  # a human waits, or somebody has come or gone
    AGAIN = 1  # a human waits for an agent that was sent for: has it come?
    FRESH = 2  # a token of a moment ago, whose human may join now
    LIFE = 3  # signs of life
    FOLLOWED = 4  # a token whose human has not come for a while
    SWEEP = 5  # rooms of which nobody has told


class Pace:
    """What has been asked, and what may be asked yet. Safe to use from several threads.

    By itself it counts nothing, and nothing waits: quota.py has the one that does.

    Attributes:
        has_quota: Whether so many requests a minute may be asked, and no more.
    """

    has_quota = False

    def wait(self, purpose: Purpose) -> float:
        """Return the seconds until the next request for this purpose may be sent; 0.0: now."""
        del purpose
        return 0.0

    def spent(self, requests: int = 1, purpose: Purpose = Purpose.WAITING) -> None:
        """Count requests; none is held back by that."""

    def refused(self, retry_after: float = 0.0) -> None:
        """Know that LiveKit has refused a request because there were too many (429).

        Args:
            retry_after: For how many seconds it wants none, if it says so.
        """


@dataclass
class _Errand:
    purpose: Purpose
    paid: int  # requests that are counted already


_errand: ContextVar[_Errand | None] = ContextVar("errand", default=None)


@contextmanager
def asking_for(purpose: Purpose, *, paid: int = 0) -> Iterator[None]:
    """Say what this thread's requests are for while in the block; else they are for humans.

    Args:
        purpose: What for.
        paid: How many of them whoever gave the errand has counted already: who hands work to
            threads counts it at once, or all of them would find that nothing has been spent.
    """
    before = _errand.set(_Errand(purpose, paid))
    try:
        yield
    finally:
        _errand.reset(before)


def pay(pace: Pace) -> None:
    """Count one request that is about to be sent, for what this thread asks for."""
    errand = _errand.get()
    if errand is None:
        pace.spent()
    elif errand.paid:
        errand.paid -= 1
    else:
        pace.spent(purpose=errand.purpose)
