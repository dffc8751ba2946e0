"""Who watches an examination. No I/O."""

from collections.abc import Sequence
from typing import Protocol

from token_server.cli.doctor.checks import Check, Finding

Timeline = Sequence[tuple[float, str]]
"""Steps with their seconds since the token was asked for."""


class Audience(Protocol):
    """Is told as soon as there is something to tell."""

    def doing(self, what: str) -> None:
        """Know what is being done at the moment."""

    def found(self, check: Check) -> None:
        """Know that a check has ended."""

    def timed(self, timeline: Timeline) -> None:
        """Know the steps of the agent's arrival."""


def is_good(audience: Audience, check: Check) -> bool:
    """Tell the audience of a check, and the caller whether it is all right."""
    audience.found(check)
    return check.finding is Finding.OK
