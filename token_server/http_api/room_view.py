"""What `GET /rooms/{room_name}` shows of a room. Pure, no I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from token_server.http_api.room_advice import Situation, advise
from token_server.keeper.observed_room import agents_named
from token_server.keeper.wanted_agents import Want
from token_server.livekit.rooms import Dispatch, Job, Participant, Room
from token_server.state import livekit_past
from token_server.state.timeline import Entry, in_order


@dataclass(frozen=True, kw_only=True)
class RoomView:
    """A room at one moment.

    Attributes:
        room_name: Its name.
        room: The live room; None where there is none.
        participants: Who is in it.
        dispatches: LiveKit's list.
        wanted: Which agents its humans want.
        kept: What its timeline has, in any order.
        now: LiveKit's time; None where there is no room.
    """

    room_name: str
    room: Room | None = None
    participants: Sequence[Participant] = ()
    dispatches: Sequence[Dispatch] = ()
    wanted: Sequence[Want] = ()
    kept: Sequence[Entry] = ()
    now: datetime | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it; docs/timeline.md has the shape."""
        history = self._history()
        return {
            "room_name": self.room_name,
            "room_sid": self.room.room_sid if self.room else None,
            "is_live": self.room is not None,
            "created_at": _time(self.room.created_at) if self.room else None,
            "is_attended": is_attended(self.participants, self.wanted),
            "wanted": [self._want(want) for want in self.wanted],
            "participants": [_participant(each) for each in self.participants],
            "dispatches": [self._dispatch(each) for each in self.dispatches],
            "advice": self._advice(history),
            "timeline": [_entry(entry) for entry in history],
        }

    def _advice(self, history: Sequence[Entry]) -> dict[str, str] | None:
        if self.now is None:
            return None
        seen = Situation(
            room_name=self.room_name,
            now=self.now,
            wanted=self.wanted,
            participants=self.participants,
            dispatches=self.dispatches,
            past=history,
        )
        advice = advise(seen)
        return advice.as_json() if advice else None

    def _want(self, want: Want) -> dict[str, Any]:
        return {
            "agent_name": want.order.agent_name,
            "is_attended": _has_one(self.participants, want),
            "waiting_since": _time(want.since),
        }

    def _dispatch(self, dispatch: Dispatch) -> dict[str, Any]:
        is_here = bool(agents_named(dispatch.agent_name, self.participants))
        return {
            "dispatch_id": dispatch.dispatch_id,
            "agent_name": dispatch.agent_name,
            "created_at": _time(dispatch.created_at),
            "state": state_of(dispatch, is_here=is_here),
            "jobs": [_job(job) for job in dispatch.jobs],
        }

    def _history(self) -> list[Entry]:
        # CreateRoom without agents leaves a dispatch without a name, which concerns nobody where
        # no worker is without one.
        names = {want.order.agent_name for want in self.wanted}
        dispatches = [each for each in self.dispatches if each.agent_name or "" in names]
        live = (
            *livekit_past.arrivals(self.room_name, self.participants),
            *livekit_past.dispatches(self.room_name, dispatches),
            *livekit_past.jobs(self.room_name, dispatches),
        )
        return livekit_past.with_agent_names(in_order([*self.kept, *live]))


def is_attended(participants: Sequence[Participant], wanted: Sequence[Want]) -> bool | None:
    """Tell whether exactly one agent of each wanted name is here; None if none is wanted."""
    return all(_has_one(participants, want) for want in wanted) if wanted else None


def waiting_for(participants: Sequence[Participant], wanted: Sequence[Want]) -> list[str]:
    """Name the agents that are wanted and of which not exactly one is here."""
    return [want.order.agent_name for want in wanted if not _has_one(participants, want)]


def state_of(dispatch: Dispatch, *, is_here: bool) -> str:
    """Name a dispatch's state; LiveKit's list of jobs lags (livekit-behaviour 26)."""
    if not dispatch.jobs:
        return "its agent is here" if is_here else "no worker is known to have taken it"
    last = max(dispatch.jobs, key=lambda job: job.started_at)
    if last.is_over:
        return f"its job has ended: {last.status.word}"
    return "its agent is here" if is_here else "a worker has its job, and its agent is not here"


def _has_one(participants: Sequence[Participant], want: Want) -> bool:
    return len(agents_named(want.order.agent_name, participants)) == 1


def _participant(participant: Participant) -> dict[str, Any]:
    return {
        "participant_identity": participant.participant_identity,
        "kind": participant.kind.value,
        "agent_name": participant.agent_name,
        "joined_at": _time(participant.joined_at),
    }


def _job(job: Job) -> dict[str, Any]:
    return {"job_id": job.job_id, "status": job.status.word, "started_at": _time(job.started_at)}


def _entry(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"at": _unix(entry.at), "event": entry.event, **entry.facts}
    return shown | {"process": entry.process} if entry.process else shown


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unix(seconds: float) -> str:
    return _time(datetime.fromtimestamp(seconds, UTC))


def in_urgency(rooms: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort the rooms of `GET /rooms`: not attended, not known, attended, nobody waiting."""

    def rank(room: dict[str, Any]) -> tuple[int, str]:
        if room["waiting_for"]:
            return 0, room["created_at"]
        if not room["is_known"]:
            return 1, room["created_at"]
        return (2 if room["is_attended"] else 3), room["created_at"]

    return sorted(rooms, key=rank)


def row(
    room: Room, participants: Sequence[Participant] | None, wanted: Sequence[Want]
) -> dict[str, Any]:
    """Return a room as `GET /rooms` lists it; without participants nothing is known of it."""
    here = participants or ()
    return {
        "room_name": room.room_name,
        "room_sid": room.room_sid,
        "created_at": _time(room.created_at),
        "num_participants": room.num_participants if participants is None else len(here),
        "is_known": participants is not None,
        "is_attended": is_attended(here, wanted),
        "waiting_for": waiting_for(here, wanted),
    }
