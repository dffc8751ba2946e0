"""Do LiveKit's webhooks tell us who joins? The rules are pure: every time is an argument.

A new room's `room_started` comes at once (livekit-behaviour 53): where LiveKit sends it, half a
second without it shows that webhooks do not work. LiveKit may be told to leave it out
(livekit-behaviour 55). Then webhooks work from the first join that one tells of until a look finds
somebody of whose join none has told. While nothing is known, rooms are looked after as if there
were no webhooks.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from token_server.livekit.port import Participant, ParticipantKind
from token_server.state.webhook_signs import Sign, signs_of

# Seconds. A webhook of any event proves for so long that webhooks work.
_FRESH = 30.0
# Seconds from a new room's token to its room_started, which may also be so much older.
_ROOM_DUE = 0.5
# Seconds. A join that was told proves for so long that the next one will be told.
_TRUSTED = 3600.0
# Seconds. No room_started for so long before a join that was told: LiveKit leaves it out.
_WITHOUT_ROOMS = 600.0
# Seconds until a join is told: media has to be up, and Redis is 2 s late with other machines'.
_JOIN_DUE = 5.0
# Seconds that our idea of LiveKit's clock may be off.
_SLACK = 1.0


@dataclass(frozen=True, kw_only=True)
class WebhookTimes:
    """When each sign was last seen by any process, in Unix seconds, by its name; 0: never.

    Attributes:
        any: A webhook has come.
        join: One told of a join.
        room: One told of a new room.
        missed: A look found somebody of whose join none had told.
    """

    any: float = 0.0
    join: float = 0.0
    room: float = 0.0
    missed: float = 0.0

    @property
    def are_contradicted(self) -> bool:
        """Whether a look has found somebody untold, and no join was told since."""
        return self.missed > self.join


def come_now(times: WebhookTimes, now: float) -> bool:
    """Whether webhooks come at present, and tell of joins as far as is known."""
    return times.any >= now - _FRESH and not times.are_contradicted


def tell_of_joins(times: WebhookTimes, now: float, made_at: float | None) -> bool:
    """Whether a webhook can be relied on to tell of the next join in a room.

    Args:
        times: What all processes know.
        now: Unix seconds, as all times here.
        made_at: When we made the room; None if it was live already.
    """
    if times.are_contradicted:
        return False
    is_due = made_at is not None and now - made_at > _ROOM_DUE
    since = made_at - _ROOM_DUE if made_at is not None and is_due else now - _FRESH
    if times.any >= since:
        return True
    # Where rooms are not told, a new one's silence says nothing.
    are_rooms_left_out = times.room < times.join - _WITHOUT_ROOMS
    return are_rooms_left_out and times.join >= now - _TRUSTED


def shows_missed(times: WebhookTimes, ages: Iterable[float], now: float, since: float) -> bool:
    """Whether a look shows, as the first one, that joins are not told.

    Args:
        times: What all processes know.
        ages: Seconds since each of those in the room has joined.
        now: When the look was.
        since: When this process began: who joined before that may have been told to nobody.
    """
    joined = [now - age for age in ages if age > _JOIN_DUE and now - age > since]
    is_news = bool(joined) and not times.are_contradicted
    return is_news and times.join < max(joined) - _SLACK


class SharedTimes(Protocol):
    """Where all processes note and read these times."""

    def webhook_arrived(self, sign: Sign = Sign.ANY) -> None:
        """Note that this was seen now."""

    def webhook_last_arrived(self, sign: Sign = Sign.ANY) -> float:
        """Return when this was last seen by any process (Unix seconds); 0 if never."""


class WebhookProof:
    """What this process and all others know of webhooks.

    Args:
        shared: What they share.
        clock: Tells Unix seconds.
    """

    def __init__(self, shared: SharedTimes, clock: Callable[[], float] = time.time) -> None:
        self._shared, self._clock, self._since = shared, clock, clock()

    def arrived(self, event: str) -> None:
        """Note that a webhook with this event has come."""
        for sign in signs_of(event):
            self._shared.webhook_arrived(sign)

    def looked(self, participants: Iterable[Participant], livekit_now: datetime) -> None:
        """Note it if somebody whom a look has found was not told."""
        joined = [p.joined_at for p in participants if p.kind is not ParticipantKind.OTHER]
        ages = [(livekit_now - joined_at).total_seconds() for joined_at in joined]
        if any(age > _JOIN_DUE for age in ages) and shows_missed(
            self._times(), ages, self._clock(), self._since
        ):
            self._shared.webhook_arrived(Sign.MISSED)

    def come_now(self) -> bool:
        """Whether webhooks come at present."""
        return come_now(self._times(), self._clock())

    def for_room(self, *, is_new: bool) -> Callable[[], bool]:
        """Return what says whether a webhook will tell of the next join in a room.

        Args:
            is_new: Whether we have made the room, just now.
        """
        made_at = self._clock() if is_new else None
        return lambda: tell_of_joins(self._times(), self._clock(), made_at)

    def _times(self) -> WebhookTimes:
        latest = self._clock() + _SLACK

        def last(sign: Sign) -> float:
            # Where the clock was set back, a time to come proves nothing until it is noted anew.
            at = self._shared.webhook_last_arrived(sign)
            return at if at <= latest else 0.0

        return WebhookTimes(**{sign.name.lower(): last(sign) for sign in Sign})
