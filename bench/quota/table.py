"""The table of the quota and its bars. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Bar, Cell, Held, Row, Section, median, number

_COLUMNS = ("figure",)
# A join that has had no dispatch counts as one that waited for so long.
_NEVER = 999.0
_HOW = (
    "A proxy between ours and livekit-server passes 1,000 requests on in each minute since its"
    " start, and answers 429 to the others; LIVEKIT_REQUESTS_PER_MINUTE is 900. {calls} tokens that"
    " nobody joins with, {calls} calls that are held, and a join every 3 s that leaves after 9 s;"
    " LiveKit's Python client without tracks, a bench-only worker, webhooks on. Seconds are from"
    " the join to the room's CreateDispatch, all joins: the held ones too."
)


@dataclass(frozen=True, kw_only=True)
class Joined:
    """When somebody joined, and when an agent was sent for; None: never."""

    at: float
    dispatched_at: float | None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen.

    Attributes:
        tokens: How many tokens were asked for.
        refused: The status of each answer that had none.
        joined: The joins.
        minutes: Requests that were passed on, by minute.
        methods: The same by method.
        too_many: Requests that were answered 429, by method.
    """

    tokens: int
    refused: Sequence[int]
    joined: Sequence[Joined]
    minutes: Mapping[int, int]
    methods: Mapping[str, int]
    too_many: Mapping[str, int]


def to_section(calls: int, seen: Seen) -> Section:
    """Return the table, with its bars."""
    waits = [
        _NEVER if joined.dispatched_at is None else max(joined.dispatched_at - joined.at, 0.0)
        for joined in seen.joined
    ]
    longest, failed = max(waits, default=_NEVER), len(seen.refused)
    rows = [
        Row(
            what="/token without a token",
            cells=(Cell(f"{failed} of {seen.tokens}", failed),),
            held=Held(value=failed, bar=Bar(most=0, unit="")),
        ),
        Row(what="join to CreateDispatch, median", cells=(number(median(waits or [_NEVER]), 2),)),
        Row(
            what="join to CreateDispatch, longest",
            cells=(number(longest, 2),),
            held=Held(value=longest, bar=Bar(most=2.0, unit=" s")),
        ),
        Row(what="most requests in a minute", cells=(number(max(seen.minutes.values())),)),
        Row(what="answered 429", cells=(_counted(seen.too_many),)),
        *(
            Row(what=f"{method}, a minute", cells=(number(count / len(seen.minutes)),))
            for method, count in sorted(seen.methods.items(), key=lambda item: -item[1])
        ),
    ]
    how = _HOW.format(calls=calls)
    return Section(
        key="quota", title="LiveKit's quota", how=how, columns=_COLUMNS, rows=tuple(rows)
    )


def _counted(too_many: Mapping[str, int]) -> Cell:
    total = sum(too_many.values())
    if not total:
        return number(0)
    by_method = ", ".join(f"{method} {count}" for method, count in sorted(too_many.items()))
    return Cell(f"{total} ({by_method})", total)
