"""Do callers meet in rooms that others have left? No I/O.

A room lives on for a while after everybody has left. Who then asks for its name gets the old room:
LiveKit ignores the agents of their token (facts, 1), and whoever comes back meets them there.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from token_server.doctor.checks import Cause, Check, Trouble, ok
from token_server.rooms import Participant, ParticipantKind, Room

# A page that is reloaded comes back sooner, often under a new identity.
_RELOADED_WITHIN = timedelta(seconds=3)
_MOST_NAMES = 3


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """A live room that one caller had left before another came.

    Attributes:
        room_name: Which.
        evidence: What tells so.
        is_certain: Whether it may not have been one caller who lost the connection.
    """

    room_name: str
    evidence: str
    is_certain: bool = True


def by_timeline(room_name: str, timeline: Sequence[Mapping[str, Any]]) -> Reuse | None:
    """Look for it in a room's timeline (GET /rooms/{room_name}); None if there is nothing."""
    # How often each is there: who connects anew joins before LiveKit tells that they have left.
    here: Counter[str] = Counter()
    before: set[str] = set()
    left_at: datetime | None = None
    times = 0
    for row in timeline:
        identity, at = row.get("participant_identity", ""), datetime.fromisoformat(row["at"])
        if row["event"] == "room_ended":
            here, before, left_at, times = Counter(), set(), None, 0
        elif row["event"] == "left":
            here -= Counter([identity])
            before.add(identity)
            left_at = at
        elif row["event"] == "joined":
            is_late = left_at is not None and at - left_at > _RELOADED_WITHIN
            times += not here and is_late and identity not in before
            here[identity] += 1
    if not times:
        return None
    often = "once" if times == 1 else f"{times} times"
    return Reuse(
        room_name=room_name,
        evidence=f"{room_name}: {often} somebody came into the live room after others had left it",
    )


def by_age(room: Room, participants: Iterable[Participant], unvisited: timedelta) -> Reuse | None:
    """Look for it in LiveKit's lists: a room that nobody comes to ends after `unvisited`."""
    humans = [one.joined_at for one in participants if one.kind is ParticipantKind.HUMAN]
    age = min(humans, default=room.created_at) - room.created_at
    if age <= unvisited + _RELOADED_WITHIN:
        return None
    return Reuse(
        room_name=room.room_name,
        evidence=f"{room.room_name}: it was {age.total_seconds():.0f} s old when the first of those"
        " who are in it came; somebody had been there before",
        is_certain=False,
    )


def check_room_names(found: Sequence[Reuse], fixed_names: Sequence[str]) -> Check:
    """Say whether a room has served one caller after another.

    Args:
        found: Rooms that have.
        fixed_names: ROOM_NAMES: a name that stands there as it is is meant to be shared.
    """
    unmeant = sorted(
        (reuse for reuse in found if reuse.room_name not in fixed_names),
        key=lambda reuse: not reuse.is_certain,
    )[:_MOST_NAMES]
    if not unmeant:
        return ok("room names", "No caller was seen in a room that another had left.")
    trouble = Trouble(
        Cause.ROOM_NAMES_REUSED,
        "Let the frontend ask for tokens without `room_name` (each call gets a room of its own), or"
        " with a new name for each call. If people are meant to meet there, say so:"
        f" ROOM_NAMES={unmeant[0].room_name},* (the star keeps all other names allowed).",
    )
    evidence = [reuse.evidence for reuse in unmeant]
    if not unmeant[0].is_certain:
        return trouble.unknown(
            "room names",
            "Room names may be used again while their room is live: with OPERATOR_KEY set, on the"
            " server and here, this can be told.",
            *evidence,
        )
    return trouble.wrong(
        "room names",
        "Room names are used again while their room is live: a caller finds what is left of"
        " another's call, and LiveKit ignores the agents of their token (this server sends them"
        " at the join instead).",
        *evidence,
    )
