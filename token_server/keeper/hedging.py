"""When a dispatch is late, and another one is sent while it still stands. Pure, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from token_server.keeper.known_workers import WorkerNews
from token_server.livekit.port import Dispatch

# Two actors may have created within this time; a hedge comes later.
AT_ONCE = timedelta(seconds=0.5)
# A job that a worker has in hand is hedged once, after this time: it may have frozen since.
_IN_HAND_LATE_AFTER = timedelta(seconds=6)
# A worker that tells has told by then that a dispatch is in its hands: nobody has the one that none
# tells of, and the first hedge need not wait any longer.
_LAPSED_AFTER = timedelta(seconds=1.2)
# Beside a worker that has fallen silent, which LiveKit may offer every other job
# (livekit-behaviour 93), the next is sent sooner, and more may stand.
_LAPSED_BESIDE_SILENT_AFTER = timedelta(seconds=0.52)
_MOST_BESIDE_SILENT = 10


@dataclass(frozen=True, kw_only=True)
class Hedging:
    """When another dispatch is sent while one stands (usual_times.py learns it).

    Attributes:
        after: How long a dispatch of this name may take before it is late; if nothing is known yet,
            so long.
        most: How many may stand at a time.
        most_lapsed: How many, where none of them is in any worker's hands.
    """

    after: timedelta = timedelta(seconds=2.5)
    most: int = 2
    most_lapsed: int = 4


NOTHING_LEARNT = Hedging()


def late_at(
    dispatches: Sequence[Dispatch], waiting_since: datetime, hedging: Hedging, told: WorkerNews
) -> datetime | None:
    """Return when another dispatch is to be sent beside these; None if these are enough.

    Args:
        dispatches: Those that may still deliver, the youngest last.
        waiting_since: When the first human who waits joined.
        hedging: When a dispatch of the name is late.
        told: What workers of the name have told.
    """
    youngest = dispatches[-1]
    began = max(youngest.created_at, waiting_since)
    if any(dispatch.has_job or dispatch.dispatch_id in told.in_hand for dispatch in dispatches):
        # A worker is at it, and another one would be as slow: once.
        is_first = len(dispatches) == 1 < hedging.most
        return began + max(_IN_HAND_LATE_AFTER, hedging.after) if is_first else None
    if told.is_full:
        # Whoever has room again tells it, and is asked then.
        return None
    is_news = told.newest_at is not None and told.newest_at > youngest.created_at
    have_lapsed = is_news or all(each.dispatch_id in told.lapsed for each in dispatches)
    if len(dispatches) >= _most(hedging, told, have_lapsed=have_lapsed):
        return None
    # Who was registered since was not asked. But what comes at once is taken for another actor's,
    # and taken back: and then sent again.
    after = AT_ONCE if is_news else hedging.after
    if have_lapsed and told.has_silent:
        after = min(after, _LAPSED_BESIDE_SILENT_AFTER)
    elif have_lapsed and len(dispatches) == 1:
        after = min(after, _LAPSED_AFTER)
    return began + after


def _most(hedging: Hedging, told: WorkerNews, *, have_lapsed: bool) -> int:
    """Return how many dispatches may stand."""
    if not have_lapsed:
        return hedging.most
    return _MOST_BESIDE_SILENT if told.has_silent else hedging.most_lapsed
