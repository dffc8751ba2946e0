"""What humans heard after a fault, and how it is shown. No I/O."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bench.figures import Cell, median, p95
from bench.silence.faults import Fault

NEVER = float("inf")


@dataclass(frozen=True)
class Silences:
    """How long it was silent, each time that the same went wrong.

    Attributes:
        each: Seconds to the first sound of the next agent; None: there was none.
        patience: Seconds after which nobody waited any longer.
    """

    each: tuple[float | None, ...]
    patience: float

    @property
    def seconds(self) -> list[float]:
        """The seconds; infinite where no agent was heard."""
        return [NEVER if one is None else one for one in self.each]

    def within(self, seconds: float) -> float:
        """Return the share of those that were no longer than this, from 0 to 1."""
        return sum(one <= seconds for one in self.seconds) / len(self.each)

    def shown(self, value: float) -> str:
        """Show some of these seconds."""
        return f"none in {self.patience:g} s" if value == NEVER else f"{value:.2f} s"


@dataclass(frozen=True)
class Thaw:
    """Who was there after a frozen agent had thawed.

    Attributes:
        is_old_heard: Whether the old agent was heard again.
        is_old_there: Whether it was there at the end.
        others: How many other agents were.
        is_other_heard: Whether one of these had been heard.
    """

    is_old_heard: bool
    is_old_there: bool
    others: int
    is_other_heard: bool

    @property
    def ending(self) -> "Ending":
        """Say it in a word."""
        if self.others > 1 or (self.others and (self.is_old_there or self.is_old_heard)):
            return Ending.TWO
        if self.others:
            return Ending.NEXT if self.is_other_heard else Ending.MUTE
        return Ending.OLD if self.is_old_there else Ending.NOBODY


class Ending(Enum):
    """How it was after a thaw."""

    NEXT = "the next agent alone"
    OLD = "the old agent goes on"
    TWO = "two agents"
    MUTE = "an agent that nobody heard"
    NOBODY = "no agent"


@dataclass(frozen=True)
class Thaws:
    """All thaws after the same time."""

    each: tuple[Thaw, ...]

    @property
    def share(self) -> float:
        """How many ended with the next agent alone, from 0 to 1."""
        return sum(thaw.ending is Ending.NEXT for thaw in self.each) / len(self.each)


Found = Silences | Thaws
# By the name of the way; a fault that makes no sense there is missing.
Results = Mapping[str, Mapping[Fault, Found]]
SOON = 3.0  # seconds within which a join should hear its agent


def to_cell(fault: Fault, found: Found) -> Cell:
    """Show what was found of a fault."""
    if isinstance(found, Thaws):
        endings = Counter(thaw.ending for thaw in found.each)
        others = [f"{n} {one.value}" for one, n in endings.items() if one is not Ending.NEXT]
        figures = [thaw.ending.value for thaw in found.each]
        return Cell(", ".join((f"{found.share:.0%}", *others)), figures)
    return Cell(_times(fault, found), list(found.each))


def _times(fault: Fault, found: Silences) -> str:
    middle, longest = (found.shown(of(found.seconds)) for of in (median, max))
    if fault is Fault.HALF_FROZEN:
        return f"{middle}, {found.within(SOON):.0%} within {SOON:g} s, {longest}"
    if min(found.seconds) == NEVER:
        return longest
    if fault in {Fault.TEN_KILLED, Fault.TEN_FROZEN}:
        return f"{middle}, p95 {found.shown(late(found))}"
    return f"{middle}, {longest}"


def late(found: Silences) -> float:
    """Return the 95th percentile; infinite if one of them heard no agent."""
    return NEVER if max(found.seconds) == NEVER else p95(found.seconds)
