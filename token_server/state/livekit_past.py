"""What LiveKit tells about a room's past, as entries of its timeline. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from token_server.livekit.port import Dispatch, Participant, ParticipantKind
from token_server.state.timeline import Entry, EntryDetails, Event

_ARRIVALS = {ParticipantKind.HUMAN: Event.JOINED, ParticipantKind.AGENT: Event.AGENT_JOINED}
_DEPARTURES = {ParticipantKind.HUMAN: Event.LEFT, ParticipantKind.AGENT: Event.AGENT_LEFT}


def arrivals(room_name: str, participants: Sequence[Participant]) -> Iterator[Entry]:
    """Tell when these humans and agents joined."""
    for participant in participants:
        if event := _ARRIVALS.get(participant.kind):
            yield of_participant(room_name, event, participant, participant.joined_at)


def departures(room_name: str, participant: Participant, at: datetime) -> Iterator[Entry]:
    """Tell that this human or agent has left."""
    if event := _DEPARTURES.get(participant.kind):
        yield of_participant(room_name, event, participant, at)


def of_participant(room_name: str, event: Event, participant: Participant, at: datetime) -> Entry:
    """Tell something about a participant."""
    facts: EntryDetails = {"participant_identity": participant.participant_identity}
    if participant.kind is ParticipantKind.AGENT:
        facts["agent_name"] = participant.agent_name
    return Entry(room_name, at.timestamp(), event, participant.participant_sid, facts)


def with_agent_names(entries: Sequence[Entry]) -> list[Entry]:
    """Add the agent's name to the first tracks of agents."""
    agents = {
        entry.subject: entry.facts["agent_name"]
        for entry in entries
        if entry.event is Event.AGENT_JOINED
    }
    return [
        entry._replace(facts={**entry.facts, "agent_name": agents[entry.subject]})
        if entry.event is Event.FIRST_TRACK and entry.subject in agents
        else entry
        for entry in entries
    ]


def dispatches(room_name: str, listed: Sequence[Dispatch]) -> Iterator[Entry]:
    """Tell when these were created; of ours, whoever created them tells the reason too."""
    for dispatch in listed:
        at = dispatch.created_at.timestamp()
        yield Entry(room_name, at, Event.DISPATCHED, dispatch.dispatch_id, _facts(dispatch))


def jobs(room_name: str, listed: Sequence[Dispatch]) -> Iterator[Entry]:
    """Tell when workers took the jobs of these."""
    for dispatch in listed:
        for job in dispatch.jobs:
            at = job.started_at.timestamp()
            if at > 0:
                facts: EntryDetails = {**_facts(dispatch), "job_id": job.job_id}
                yield Entry(room_name, at, Event.JOB_TAKEN, job.job_id, facts)


def _facts(dispatch: Dispatch) -> EntryDetails:
    return {"agent_name": dispatch.agent_name, "dispatch_id": dispatch.dispatch_id}
