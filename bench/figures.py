"""Figures of a measurement and the bars they are held to. No I/O."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_P95_OF_TWENTIETHS = 18


def median(values: Sequence[float]) -> float:
    """Return the middle of the values."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """Return what 95 of 100 values stay below, interpolated; the value itself if there is one."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=20, method="inclusive")[_P95_OF_TWENTIETHS]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How two figures compare: one quotient, or one for each round."""

    rounds: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The ratio that is held to the bar: the median of the rounds'."""
        return median(self.rounds)

    def __str__(self) -> str:
        """Show the middle, and how far the rounds are apart."""
        if len(self.rounds) == 1:
            return f"{self.middle:.2f}x"
        return f"{self.middle:.2f}x ({min(self.rounds):.2f} to {max(self.rounds):.2f})"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a figure must reach; `most` and `least` are inclusive, and one of them is set."""

    least: float | None = None
    most: float | None = None
    unit: str = "x"

    def holds(self, value: float) -> bool:
        """Whether the figure is good enough."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    def __str__(self) -> str:
        """Show the comparison."""
        word, limit = (">=", self.least) if self.least is not None else ("<=", self.most)
        return f"{word} {limit:g}{self.unit}"


@dataclass(frozen=True)
class Compared:
    """A ratio, in words what to what, and the bar it is held to."""

    ratio: Ratio
    what: str
    bar: Bar | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the result.

    Attributes:
        what: What was measured.
        p50_ms: The median in milliseconds.
        p95_ms: The 95th percentile in milliseconds.
        per_second: Requests per second, where there were many.
        compared: With something else that was measured.
        p50_bar: What the median must reach.
    """

    what: str
    p50_ms: float
    p95_ms: float
    per_second: float | None = None
    compared: Compared | None = None
    p50_bar: Bar | None = None

    @property
    def bar(self) -> Bar | None:
        """The bar of this row, for whatever it is."""
        return self.compared.bar if self.compared else self.p50_bar

    @property
    def holds(self) -> bool | None:
        """Whether the bar is reached; None where there is none."""
        if self.bar is None:
            return None
        return self.bar.holds(self.compared.ratio.middle if self.compared else self.p50_ms)


@dataclass(frozen=True, kw_only=True)
class Section:
    """Rows that were measured together, and how."""

    title: str
    how: str
    rows: tuple[Row, ...]
