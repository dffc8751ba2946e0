"""The table of the doctor's causes, and its bars. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import EMPTY, Bar, Cell, Held, Row, Section, number

_HOW = (
    "Each cause is brought about for real in a running deployment (livekit-server, `web`, one"
    " worker) whose settings are in `.env`; the first run of `token-server doctor` has to name it"
    " before all else. Then the lines that it printed are typed as they stand, in the same folder,"
    " with the operator's own values for placeholders, and what the cure has for livekit.yaml is"
    " written there. Named: that run, in seconds. Cured: the last run says that all is well; `by"
    " others`: where somebody else has to act, which is done for them, the next run does not name"
    " it any more. Green: from the first line typed to the end of that run, starts of processes"
    " included."
)


@dataclass(frozen=True)
class Outcome:
    """What became of one; None where it was not named, or not cured."""

    cause: str
    how: str
    seconds_until_named: float | None = None
    seconds_until_cured: float | None = None
    is_outside: bool = False

    @property
    def cure(self) -> str:
        """Whether it was cured, for people to read."""
        if self.seconds_until_cured is None:
            return "NO"
        return "by others" if self.is_outside else "yes"

    @property
    def in_words(self) -> str:
        """All of it in a line."""
        named, green = (
            "never" if seconds is None else f"{seconds:.1f} s"
            for seconds in (self.seconds_until_named, self.seconds_until_cured)
        )
        return f"{self.cause} ({self.how}): named {named}, cured {self.cure}, green {green}"


def to_sections(outcomes: Sequence[Outcome]) -> list[Section]:
    """Return the table; its last rows are held to bars."""
    shares = {
        "named": [one.seconds_until_named is not None for one in outcomes],
        "cured": [one.seconds_until_cured is not None for one in outcomes],
    }
    rows = (*map(_row, outcomes), *(_share(what, holds) for what, holds in shares.items()))
    return [
        Section(
            key="doctor",
            title="What the doctor says, typed",
            how=_HOW,
            columns=("how", "named, s", "cured", "green, s"),
            rows=rows,
        )
    ]


def _row(outcome: Outcome) -> Row:
    cells = (
        Cell(outcome.how),
        number(outcome.seconds_until_named, 1),
        Cell(outcome.cure),
        number(outcome.seconds_until_cured, 1),
    )
    return Row(what=f"`{outcome.cause}`", cells=cells)


def _share(what: str, holds: Sequence[bool]) -> Row:
    share = 100 * sum(holds) / len(holds)
    held = Held(value=share, bar=Bar(least=100, unit=" %"))
    shown = Cell(f"{sum(holds)} of {len(holds)}", share)
    return Row(what=what, cells=(shown, EMPTY, EMPTY, EMPTY), held=held)
