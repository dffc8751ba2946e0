"""What `GET /rooms/{room_name}` shows of a room. Pure, no I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from token_server.http_api.room_advice import Situation, advise
from token_server.keeper.failures import fewest_failures
from token_server.keeper.observed_room import agents_named
from token_server.keeper.wanted_agents import Want
from token_server.livekit.port import Dispatch, Job, Participant, Room
from token_server.state import livekit_past
from token_server.state.timeline import Entry, in_order


def document(seen: Situation, room: Room | None) -> dict[str, Any]:
    """Return a room as JSON has it; docs/metrics.md has the shape.

    Args:
        seen: What there is to tell; `past` is what its timeline has, in any order.
        room: The live room; None where there is none.
    """
    seen = replace(seen, past=_history(seen))
    advice = advise(seen)
    return {
        "room_name": seen.room_name,
        "room_sid": room.room_sid if room else None,
        "is_live": room is not None,
        "created_at": _time(room.created_at) if room else None,
        "is_attended": is_attended(seen.participants, seen.wanted),
        "wanted": [_want(want, seen.participants) for want in seen.wanted],
        "participants": [_participant(each, seen) for each in seen.participants],
        "dispatches": [_dispatch(each, seen.participants) for each in seen.dispatches],
        "advice": advice.as_json() if advice else None,
        "timeline": [_entry(entry) for entry in seen.past],
    }


def _want(want: Want, participants: Sequence[Participant]) -> dict[str, Any]:
    return {
        "agent_name": want.order.agent_name,
        "is_attended": _has_one(participants, want),
        "waiting_since": _time(want.since),
    }


def _dispatch(dispatch: Dispatch, participants: Sequence[Participant]) -> dict[str, Any]:
    is_here = bool(agents_named(dispatch.agent_name, participants))
    return {
        "dispatch_id": dispatch.dispatch_id,
        "agent_name": dispatch.agent_name,
        "created_at": _time(dispatch.created_at),
        "state": state_of(dispatch, is_here=is_here),
        "jobs": [_job(job) for job in dispatch.jobs],
    }


def _history(seen: Situation) -> list[Entry]:
    # CreateRoom without agents leaves a dispatch without a name, which concerns nobody where
    # no worker is without one.
    names = {want.order.agent_name for want in seen.wanted}
    dispatches = [each for each in seen.dispatches if each.agent_name or "" in names]
    live = (
        *livekit_past.arrivals(seen.room_name, seen.participants),
        *livekit_past.dispatches(seen.room_name, dispatches),
        *livekit_past.jobs(seen.room_name, dispatches),
    )
    return livekit_past.with_agent_names(in_order([*seen.past, *live]))


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


def _participant(participant: Participant, seen: Situation) -> dict[str, Any]:
    identity = participant.participant_identity
    return {
        "participant_identity": identity,
        "kind": participant.kind.value,
        "agent_name": participant.agent_name,
        "joined_at": _time(participant.joined_at),
        "released_from": list(seen.released_from.get(identity, ())),
    }


def _job(job: Job) -> dict[str, Any]:
    return {"job_id": job.job_id, "status": job.status.word, "started_at": _time(job.started_at)}


def _entry(entry: Entry) -> dict[str, Any]:
    at = datetime.fromtimestamp(entry.at, UTC)
    shown: dict[str, Any] = {"at": _time(at), "event": entry.event, **entry.facts}
    return shown | {"process": entry.process} if entry.process else shown


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
    room: Room,
    participants: Sequence[Participant] | None,
    wanted: Sequence[Want],
    now: datetime,
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
        "failing": [
            want.order.agent_name for want in wanted if fewest_failures(want.humans, now).are_a_loop
        ],
    }
