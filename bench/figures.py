"""Figures of a measurement and the bars they are held to. No I/O."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_P90_OF_TENTHS = 8
_P95_OF_TWENTIETHS = 18


def median(values: Sequence[float]) -> float:
    """Return the middle of the values."""
    return statistics.median(values)


def p90(values: Sequence[float]) -> float:
    """Return what 90 of 100 values stay below, interpolated; the value itself if there is one."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=10, method="inclusive")[_P90_OF_TENTHS]


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


def ratio_of(ours: float, theirs: float) -> Ratio:
    """Compare two figures; an infinitely bad one stays so, whatever it is compared with."""
    return Ratio(rounds=(ours / theirs if ours < float("inf") else ours,))


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


@dataclass(frozen=True, kw_only=True)
class Held:
    """A figure that is held to a bar."""

    value: float
    bar: Bar

    @property
    def holds(self) -> bool:
        """Whether the bar is reached."""
        return self.bar.holds(self.value)


@dataclass(frozen=True)
class Cell:
    """One cell of a table: what is shown, and the figures behind it, as JSON takes them."""

    text: str = ""
    figures: object = None


EMPTY = Cell()


def number(value: float | None, digits: int = 0) -> Cell:
    """Return a cell with one figure, so many digits after its point; an empty one for None."""
    return EMPTY if value is None else Cell(f"{value:,.{digits}f}", value)


def compared(ratio: Ratio, what: str) -> Cell:
    """Return a cell with a ratio, in words what to what."""
    return Cell(f"{ratio} {what}", ratio.rounds)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: its name, a cell for each column, and a bar if there is one."""

    what: str
    cells: tuple[Cell, ...]
    held: Held | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """Rows that were measured together.

    Attributes:
        key: Its name in files.
        title: Its heading.
        how: What was measured, and how.
        columns: The heads of the cells.
        rows: The table.
        measured_on: The date, ISO 8601; empty until the run is over.
        machine: One line (machine.py); likewise.
    """

    key: str
    title: str
    how: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    measured_on: str = ""
    machine: str = ""


LOAD_COLUMNS = ("p50 ms", "p95 ms", "per s", "beside another")


def load_row(
    what: str,
    milliseconds: tuple[float, float],
    per_second: float | None = None,
    beside: Cell = EMPTY,
) -> Row:
    """Return a row of LOAD_COLUMNS; the milliseconds are p50 and p95."""
    p50, p95 = (number(value, 1) for value in milliseconds)
    return Row(what=what, cells=(p50, p95, number(per_second), beside))
