"""The table of distances, and the bars that ours is held to. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.distance.held_packets import Journey
from bench.figures import (
    EMPTY,
    Bar,
    Cell,
    Held,
    Row,
    Section,
    compared,
    median,
    number,
    p90,
    ratio_of,
)

LIVEKITS_OWN, OURS, TOKEN_MODE = "LiveKit's own", "ours", "token mode"
_WAYS = (LIVEKITS_OWN, OURS, TOKEN_MODE)
_COLUMNS = tuple(column for way in _WAYS for column in (f"{way}: p50 ms", "p90 ms"))
_P50_BAR, _P90_BAR, _LOSS_BAR = Bar(most=1.10), Bar(most=1.25), Bar(most=1.15)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Joins at one distance, with so many tokens a second that nobody joins with."""

    journey: Journey
    tokens_per_second: int = 0

    def __str__(self) -> str:
        """Name it."""
        beside = f"beside {self.tokens_per_second} tokens a second"
        return f"{self.journey}, {beside}" if self.tokens_per_second else str(self.journey)


# Milliseconds by way; infinite for a join without an agent.
Found = Mapping[Place, Mapping[str, list[float]]]


def to_sections(found: Found, joins: int) -> list[Section]:
    """Return the table and the bars."""
    how = (
        "Milliseconds from `room.connect` to the agent's audio track subscribed, in a headless"
        " Chromium whose every packet, signalling and media, is held for half the round trip each"
        " way; lost: that share of the packets, each way. The token was fetched just before, for"
        f" token mode 1 s before; webhooks are on; {joins} joins each, those of LiveKit's own token"
        " dispatch and of ours in turns; our worker, which is near, for all. The tokens beside are"
        " for fresh rooms of our server, nobody joins with them, and they are asked for during the"
        " joins of both."
    )
    table = Section(
        key="distance",
        title="Join to the agent's audio, from far away",
        how=how,
        columns=_COLUMNS,
        rows=tuple(_row(place, joins_of) for place, joins_of in found.items()),
    )
    bars = Section(
        key="distance-bars",
        title="Join to the agent's audio, from far away: the bars",
        how="What ours, AGENT_DISPATCH=join, is held to beside LiveKit's own token dispatch.",
        columns=("measured",),
        rows=tuple(row for place, joins_of in found.items() for row in _bars(place, joins_of)),
    )
    return [table, bars]


def _row(place: Place, joins_of: Mapping[str, list[float]]) -> Row:
    cells: list[Cell] = []
    for way in _WAYS:
        milliseconds = joins_of.get(way)
        cells += (
            [number(median(milliseconds)), number(p90(milliseconds))]
            if milliseconds
            else [EMPTY, EMPTY]
        )
    return Row(what=str(place), cells=tuple(cells))


def _bars(place: Place, joins_of: Mapping[str, list[float]]) -> Iterator[Row]:
    bars = [("p50", median, _LOSS_BAR)]
    if not place.journey.lost_percent:
        bars = [("p50", median, _P50_BAR), ("p90", p90, _P90_BAR)]
    for what, of, bar in bars:
        ratio = ratio_of(of(joins_of[OURS]), of(joins_of[LIVEKITS_OWN]))
        yield Row(
            what=f"{place}, {what}",
            cells=(compared(ratio, LIVEKITS_OWN),),
            held=Held(value=ratio.middle, bar=bar),
        )
