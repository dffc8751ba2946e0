"""Rooms as `token-server room` and `rooms` print them, made of the server's JSON. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from token_server.cli.colours import BOLD, DIM, GREEN, RED, paint
from token_server.telemetry.printable import printable, printable_content

Room = Mapping[str, Any]
Entry = Mapping[str, Any]

# What an entry says of itself, in this order, and with which word before it.
_FACTS = (
    ("participant_identity", ""),
    ("agent_name", "agent"),
    ("outcome", ""),
    ("job_id", ""),
    ("dispatch_id", ""),
    ("reason", "because"),
)
_EVENT_WIDTH = 16


class RoomReport:
    """Turns what the server answers into lines; what others have named comes escaped.

    Args:
        has_colours: Whether to use them.
    """

    def __init__(self, *, has_colours: bool) -> None:
        self._has_colours = has_colours

    def rooms(self, rooms: Sequence[Room]) -> list[str]:
        """Return a line for each room, in the order given, and how many are not known."""
        if not rooms:
            return ["no live rooms"]
        shown = [printable_content(room) for room in rooms]
        width = max(len(room["room_name"]) for room in shown)
        lines = [
            f"{self._state(room)}  {room['room_name']:<{width}}  {_size(room)}" for room in shown
        ]
        unknown = sum(not room["is_known"] for room in rooms)
        if unknown:
            says = f"{unknown} of {len(rooms)} could not be looked into: somebody may wait there"
            lines += ["", says]
        return lines

    def room(self, room: Room) -> list[str]:
        """Return what is, and what was."""
        return [*self.head(room), "", *self.timeline(room["timeline"])]

    def head(self, room: Room) -> list[str]:
        """Return what is, without what was."""
        room = printable_content(room)
        lines = [f"{self._paint(room['room_name'], BOLD)}  {self._verdict(room)}"]
        lines += [f"  {_participant(each)}" for each in room["participants"]]
        lines += [f"  {_dispatch(each)}" for each in room["dispatches"] if _concerns(each, room)]
        if advice := room["advice"]:
            lines += [f"  {self._paint(advice['evidence'], RED)}", f"  → {advice['cure']}"]
        return lines

    def timeline(self, entries: Sequence[Entry], before: Entry | None = None) -> list[str]:
        """Return a line for each entry: its time, the seconds since the one before, and what.

        Args:
            entries: In their order.
            before: The entry that the first of them follows.
        """
        lines = []
        for entry in entries:
            gap = _seconds(entry) - _seconds(before) if before else 0.0
            since = self._paint(f"{gap:+9.3f}", DIM)
            clock = printable(entry["at"][11:23])
            event, facts = printable(str(entry["event"])).replace("_", " "), _facts(entry)
            lines.append(f"  {clock} {since}  {event:<{_EVENT_WIDTH}}  {facts}")
            before = entry
        return lines

    def _state(self, room: Room) -> str:
        if room["waiting_for"]:
            return self._paint("waiting ", RED)
        if not room["is_known"]:
            return "unknown "
        return self._paint("attended", GREEN) if room["is_attended"] else "no human"

    def _verdict(self, room: Room) -> str:
        if not room["is_live"]:
            return "not live"
        if room["is_attended"] is None:
            return f"{room['room_sid']}, live, no human in it wants an agent"
        if room["is_attended"]:
            return f"{room['room_sid']}, live, {self._paint('attended', GREEN)}"
        names = ", ".join(
            named_agent(want["agent_name"]) for want in room["wanted"] if not want["is_attended"]
        )
        since = min(want["waiting_since"] for want in room["wanted"])[11:23]
        waiting = self._paint(f"waiting for {names} since {since}", RED)
        return f"{room['room_sid']}, live, {waiting}"

    def _paint(self, text: str, colour: str) -> str:
        return paint(text, colour, has_colours=self._has_colours)


def new_entries(known: Sequence[Entry], told: Sequence[Entry]) -> list[Entry]:
    """Return what was not told before: another process may now tell of earlier times too."""
    return [entry for entry in told if entry not in known]


def _size(room: Room) -> str:
    number = room["num_participants"]
    people = f"{number} participant{'' if number == 1 else 's'}"
    names = ", ".join(map(named_agent, room["waiting_for"]))
    # A server of before does not tell.
    failing = ", ".join(map(named_agent, room.get("failing", ())))
    waits = f", waits for {names}" if names else ""
    return f"{people}{waits}{f', {failing} fails again and again' if failing else ''}"


def _participant(participant: Mapping[str, Any]) -> str:
    kind = participant["kind"]
    if kind == "agent":
        kind = f"agent {participant['agent_name']}".rstrip()
    since = participant["joined_at"][11:23]
    here = f"{kind}: {participant['participant_identity']}, here since {since}"
    # A server of an older version does not tell.
    released = ", ".join(map(named_agent, participant.get("released_from", ())))
    return f"{here}, released from {released}" if released else here


def _concerns(dispatch: Mapping[str, Any], room: Room) -> bool:
    """Tell whether it is worth a line: LiveKit makes one without a name with each room."""
    names = {want["agent_name"] for want in room["wanted"]}
    return bool(dispatch["agent_name"] or dispatch["jobs"] or "" in names)


def _dispatch(dispatch: Mapping[str, Any]) -> str:
    jobs = ", ".join(f"{job['job_id']} {job['status']}" for job in dispatch["jobs"])
    named = f"dispatch {dispatch['dispatch_id']} of {named_agent(dispatch['agent_name'])}"
    return f"{named}: {dispatch['state']}{f' (job {jobs})' if jobs else ''}"


def named_agent(agent_name: str) -> str:
    """Show an agent's name."""
    return agent_name or "the agent without a name"


def _facts(entry: Entry) -> str:
    parts = [f"{word} {entry[name]}".lstrip() for name, word in _FACTS if entry.get(name)]
    return printable(", ".join(parts))


def _seconds(entry: Entry) -> float:
    return datetime.fromisoformat(entry["at"]).timestamp()
