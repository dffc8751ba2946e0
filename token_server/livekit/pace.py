"""How many requests a minute LiveKit may be asked, and who comes first when that is little."""

from enum import IntEnum
from typing import Protocol


class Purpose(IntEnum):
    """What a request to LiveKit is for; the lesser comes first."""

    WAITING = 0  # a human waits, or somebody has come or gone
    FRESH = 1  # a token of a moment ago, whose human may join now
    LIFE = 2  # signs of life
    FOLLOWED = 3  # a token whose human has not come for a while
    SWEEP = 4  # rooms of which nobody has told


class Pace(Protocol):
    """What has been asked, and what may be asked yet. Safe to use from several threads."""

    def wait(self, purpose: Purpose) -> float:
        """Return the seconds until the next request for this purpose may be sent; 0.0: now."""

    def spent(self, requests: int = 1) -> None:
        """Count requests, whatever they were for; none is held back by that."""

    def refused(self) -> None:
        """Know that LiveKit has refused a request because there were too many (429)."""


class Unlimited:
    """A server of one's own: what it can bear is not counted in requests."""

    def wait(self, purpose: Purpose) -> float:
        """Never wait."""
        del purpose
        return 0.0

    def spent(self, requests: int = 1) -> None:
        """Count nothing."""

    def refused(self) -> None:
        """Know nothing of it."""
