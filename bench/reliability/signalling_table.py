"""What joins without media are shown as, and the bars that ours is held to. No I/O."""

from dataclasses import dataclass

from bench.figures import EMPTY, Bar, Held, Row, Section, compared, median, number, p95, ratio_of

_HOW = (
    "Humans and agents who join as far as LiveKit's signalling and exchange no media; the rooms are"
    " fresh. All times are livekit-server's own, in milliseconds, from the human's joining. The"
    " worker, the same in every row, takes each job at once. A burst is so many joins in the same"
    " instant, with tokens that were fetched before; after it three joins a second for"
    " 20 s, each with a fresh token."
)
_BURST_BAR = Bar(most=1.5)
_DISPATCH_BAR = Bar(most=150, unit=" ms")


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """Some joins; seconds from each human's joining, infinite for what did not come."""

    dispatch_seconds: tuple[float, ...]
    agent_seconds: tuple[float, ...]

    def __str__(self) -> str:
        """Show medians and longest times."""
        return ", ".join(
            f"{what} {median(seconds):.2f} s, {max(seconds):.2f} s"
            for what, seconds in (
                ("dispatch", self.dispatch_seconds),
                ("agent", self.agent_seconds),
            )
        )


def to_section(theirs: Arrivals, ours: Arrivals, steady: Arrivals) -> Section:
    """Return the table: the burst beside LiveKit's own, and the steady joins."""
    count = len(ours.agent_seconds)
    burst = f"a burst of {count}, until LiveKit lists the agent"
    steadily = "ours, three a second"
    rows = (
        _row(f"{burst}: LiveKit's own token dispatch", theirs.agent_seconds),
        _row(f"{burst}: ours, join", ours.agent_seconds),
        *(
            Row(
                what=f"{burst}: ours, {what}",
                cells=(EMPTY, EMPTY, EMPTY, compared(ratio, "LiveKit's own")),
                held=Held(value=ratio.middle, bar=_BURST_BAR),
            )
            for what, ratio in (
                ("median", ratio_of(median(ours.agent_seconds), median(theirs.agent_seconds))),
                ("longest", ratio_of(max(ours.agent_seconds), max(theirs.agent_seconds))),
            )
        ),
        _row(
            f"{steadily}, until CreateDispatch",
            steady.dispatch_seconds,
            Held(value=1000 * median(steady.dispatch_seconds), bar=_DISPATCH_BAR),
        ),
        _row(f"{steadily}, until LiveKit lists the agent", steady.agent_seconds),
    )
    return Section(
        key="signalling",
        title="Bursts, and joins without media",
        how=_HOW,
        columns=("p50 ms", "p95 ms", "longest ms", "beside another"),
        rows=rows,
    )


def _row(what: str, seconds: tuple[float, ...], held: Held | None = None) -> Row:
    figures = (median(seconds), p95(seconds), max(seconds))
    cells = tuple(number(1000 * each) for each in figures)
    return Row(what=what, cells=(*cells, EMPTY), held=held)
