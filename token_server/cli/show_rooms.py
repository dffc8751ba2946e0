"""`token-server room` and `token-server rooms`, at a terminal or for a script."""

import json
import time
from collections.abc import Mapping
from typing import Any, TextIO

from token_server.cli.colours import are_wanted
from token_server.cli.room_report import RoomReport, new_entries
from token_server.cli.running_server import fetch_room, fetch_rooms
from token_server.errors import UnknownRoomError
from token_server.telemetry.printable import printable

# Seconds between two questions of --follow; the server's processes write as often.
_ASK_EVERY = 0.5


def show_rooms(environ: Mapping[str, str], out: TextIO, *, as_json: bool) -> int:
    """Print the live rooms.

    Returns:
        1 if somebody waits in one of them, else 2 if one could not be looked into, else 0.
    """
    rooms = fetch_rooms(environ)
    lines = [json.dumps(rooms, indent=2)] if as_json else _report(environ, out).rooms(rooms)
    out.writelines(f"{line}\n" for line in lines)
    if any(room["waiting_for"] for room in rooms):
        return 1
    return 0 if all(room["is_known"] for room in rooms) else 2


def show_room(environ: Mapping[str, str], room_name: str, out: TextIO, *, as_json: bool) -> int:
    """Print one room and its timeline; return 1 if somebody waits in it, else 0."""
    room = fetch_room(environ, room_name)
    lines = [json.dumps(room, indent=2)] if as_json else _report(environ, out).room(room)
    out.writelines(f"{line}\n" for line in lines)
    return int(room["is_attended"] is False)


def follow_room(environ: Mapping[str, str], room_name: str, out: TextIO) -> int:
    """Print a room, and whatever happens in it from now on, until interrupted."""
    following = _Following(_report(environ, out), out)
    while True:
        try:
            following.told(fetch_room(environ, room_name))
        except UnknownRoomError:
            following.nothing(room_name)
        time.sleep(_ASK_EVERY)


class _Following:
    """Prints what is new: the room's state where it has changed, and new entries."""

    def __init__(self, report: RoomReport, out: TextIO) -> None:
        self._report, self._out = report, out
        self._head: list[str] = []
        self._entries: list[dict[str, Any]] = []

    def told(self, room: dict[str, Any]) -> None:
        """Print what has changed since the last time."""
        entries = new_entries(self._entries, room["timeline"])
        before = self._entries[-1] if self._entries else None
        self._write(self._report.timeline(entries, before))
        self._entries = room["timeline"]
        head = self._report.head(room)
        if head != self._head:
            self._write([*head, ""])
        self._head = head

    def nothing(self, room_name: str) -> None:
        """Say once that there is no such room yet."""
        head = [f"{printable(room_name)}: not live, and nothing is kept of it; waiting for it"]
        if head != self._head:
            self._write(head)
        self._head, self._entries = head, []

    def _write(self, lines: list[str]) -> None:
        self._out.writelines(f"{line}\n" for line in lines)
        self._out.flush()


def _report(environ: Mapping[str, str], out: TextIO) -> RoomReport:
    return RoomReport(has_colours=are_wanted(out, environ))
