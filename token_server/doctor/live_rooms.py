"""Looks at the rooms that are live: at their timelines where we may, else at LiveKit's lists."""

import time
from collections.abc import Iterator
from typing import Any

from token_server.doctor.checks import Check, skipped
from token_server.doctor.patient import Patient
from token_server.doctor.room_names import Reuse, by_age, by_timeline, check_room_names
from token_server.doctor.server import room_view
from token_server.errors import TokenServerError
from token_server.livekit_rooms import LiveKitRooms
from token_server.rooms import Room

# How many rooms, the oldest first, and for how long (seconds): a probe is still to come.
_MOST_ROOMS = 10
_LOOK_FOR = 1.5


def examine_room_names(patient: Patient, rooms: LiveKitRooms) -> Check:
    """Say whether a live room has served one caller after another."""
    try:
        found = list(_reused(patient, rooms))
    except TokenServerError:
        return skipped("room names", "LiveKit does not list its rooms.")
    return check_room_names(found, patient.settings.room_names)


def _reused(patient: Patient, rooms: LiveKitRooms) -> Iterator[Reuse]:
    ends_at = time.monotonic() + _LOOK_FOR
    oldest = sorted(rooms.list_rooms(), key=lambda room: room.created_at)
    for room in oldest[:_MOST_ROOMS]:
        if time.monotonic() > ends_at:
            return
        if reuse := _reuse(patient, rooms, room):
            yield reuse


def _reuse(patient: Patient, rooms: LiveKitRooms, room: Room) -> Reuse | None:
    view: dict[str, Any] = room_view(patient.server, room.room_name) or {}
    timeline = view.get("timeline", [])
    # Without what was kept (TIMELINE_SECONDS=0) it has only what LiveKit lists now.
    if any(entry["event"] == "room_ready" for entry in timeline):
        return by_timeline(room.room_name, timeline)
    unvisited = max(patient.settings.room_empty_timeout, patient.settings.room_departure_timeout)
    return by_age(room, rooms.list_participants(room.room_name), unvisited)
