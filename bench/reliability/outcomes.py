"""What came of the joins of one scenario. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Cell, median, p95


@dataclass(frozen=True)
class Outcome:
    """One join.

    Attributes:
        seconds: Until the human saw an agent, from the scenario's own zero; None: none came.
        agents: How many agents LiveKit listed in the room a moment later.
    """

    seconds: float | None
    agents: int

    @property
    def is_attended(self) -> bool:
        """Whether the join ended with exactly one agent."""
        return self.seconds is not None and self.agents == 1


@dataclass(frozen=True)
class Outcomes:
    """All joins of one scenario with one strategy."""

    each: tuple[Outcome, ...]

    @property
    def share(self) -> float:
        """How many of the joins ended with exactly one agent, from 0 to 1."""
        return sum(outcome.is_attended for outcome in self.each) / len(self.each)

    @property
    def seconds(self) -> Sequence[float]:
        """How long it took, where exactly one agent came."""
        return [
            outcome.seconds
            for outcome in self.each
            if outcome.seconds is not None and outcome.is_attended
        ]

    @property
    def worst(self) -> float:
        """The longest time; infinite when a join ended otherwise."""
        return max(self.seconds) if self.share == 1 else float("inf")

    @property
    def middle(self) -> float:
        """The median of the times; infinite when a join ended otherwise."""
        return median(self.seconds) if self.share == 1 else float("inf")

    @property
    def p95(self) -> float:
        """The 95th percentile of the times; infinite when a join ended otherwise."""
        return p95(self.seconds) if self.share == 1 else float("inf")

    def cell(self) -> Cell:
        """Show the share and the seconds (median, longest)."""
        figures: dict[str, object] = {
            "share": self.share,
            "seconds": [outcome.seconds for outcome in self.each],
            "agents": [outcome.agents for outcome in self.each],
        }
        text = f"{self.share:.0%}"
        if self.share < 1 and any(outcome.agents > 1 for outcome in self.each):
            text += f", {sum(outcome.agents > 1 for outcome in self.each)} with two"
        if self.seconds:
            text += f" · {median(self.seconds):.2f} s, {max(self.seconds):.2f} s"
        return Cell(text, figures)
