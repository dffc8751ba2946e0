"""Do callers meet in rooms that others have left? Asked of the rooms that are live.

A room lives on for a while after everybody has left. Who then asks for its name gets the old room:
LiveKit ignores the agents of their token (livekit-behaviour 11), and whoever comes back meets them
there. The timelines of rooms tell it where we may read them, else LiveKit's lists do.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from token_server.cli.doctor.checks import Check, Trouble, ok, skipped
from token_server.cli.doctor.patient import Patient
from token_server.cli.doctor.server import room_view
from token_server.cli.doctor.steps import OPERATOR_KEY, Setting, Start
from token_server.errors import TokenServerError
from token_server.livekit.port import Participant, ParticipantKind, Room
from token_server.livekit.twirp_livekit import TwirpLiveKit

# A page that is reloaded comes back sooner, often under a new identity.
_RELOADED_WITHIN = timedelta(seconds=3)
_MOST_NAMES = 3
# How many rooms, the oldest first, and for how long (seconds): a probe is still to come.
_MOST_ROOMS = 10
_LOOK_FOR = 1.5


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


def by_timeline(
    room_name: str, timeline: Sequence[Mapping[str, Any]], created_at: datetime
) -> Reuse | None:
    """Look for it in a room's timeline (GET /rooms/{room_name}); None if there is nothing.

    What was before the live room's creation was in another one. Nobody tells the end of a room that
    a LiveKit took with it (`make dev`, started again).
    """
    # How often each is there: who connects anew joins before LiveKit tells that they have left.
    here: Counter[str] = Counter()
    before: set[str] = set()
    left_at: datetime | None = None
    times = 0
    for row in timeline:
        identity, at = row.get("participant_identity", ""), datetime.fromisoformat(row["at"])
        if at < created_at:
            continue
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


# With the key the rooms' timelines can be read.
_TELLING = (Setting("OPERATOR_KEY", OPERATOR_KEY),)


def check_room_names(found: Sequence[Reuse], fixed_names: Sequence[str]) -> Check:
    """Say whether a room has served one caller after another.

    Args:
        found: LiveKit that have.
        fixed_names: ROOM_NAMES: a name that stands there as it is is meant to be shared.
    """
    unmeant = sorted(
        (reuse for reuse in found if reuse.room_name not in fixed_names),
        key=lambda reuse: not reuse.is_certain,
    )[:_MOST_NAMES]
    if not unmeant:
        return ok("room names", "No caller was seen in a room that another had left.")
    names = ",".join(dict.fromkeys((unmeant[0].room_name, *fixed_names)))
    meant = Setting("ROOM_NAMES", names if fixed_names else f"{names},*")
    trouble = Trouble(
        "room-names-reused",
        "Let the frontend ask for tokens without `room_name` (each call gets a room of its own), or"
        " with a new name for each call. Only if people are meant to meet there, say so:"
        f" ROOM_NAMES={meant.value} (a star keeps all other names allowed).",
        (meant, Start.WEB),
    )
    evidence = [reuse.evidence for reuse in unmeant]
    if not unmeant[0].is_certain:
        trouble = replace(trouble, steps=(*_TELLING, *trouble.steps))
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


def examine_room_names(patient: Patient, livekit: TwirpLiveKit) -> Check:
    """Say whether a live room has served one caller after another."""
    try:
        found = list(_reused(patient, livekit))
    except TokenServerError:
        return skipped("room names", "LiveKit does not list its rooms.")
    return check_room_names(found, patient.settings.room_names)


def _reused(patient: Patient, livekit: TwirpLiveKit) -> Iterator[Reuse]:
    ends_at = time.monotonic() + _LOOK_FOR
    oldest = sorted(livekit.list_rooms(), key=lambda room: room.created_at)
    for room in oldest[:_MOST_ROOMS]:
        if time.monotonic() > ends_at:
            return
        if reuse := _reuse(patient, livekit, room):
            yield reuse


def _reuse(patient: Patient, livekit: TwirpLiveKit, room: Room) -> Reuse | None:
    timeline = room_view(patient.server, room.room_name).get("timeline", [])
    # Without what was kept (TIMELINE_SECONDS=0) it has only what LiveKit lists now.
    if any(entry["event"] == "room_ready" for entry in timeline):
        return by_timeline(room.room_name, timeline, room.created_at)
    unvisited = max(patient.settings.room_empty_timeout, patient.settings.room_departure_timeout)
    return by_age(room, livekit.list_participants(room.room_name), unvisited)
