"""LiveKit's protobuf messages on one side, the plain values of port.py on the other. No I/O."""

from datetime import UTC, datetime

from livekit.protocol import agent, agent_dispatch, models

from token_server.livekit.port import (
    AVATAR_ATTRIBUTE,
    AgentOrder,
    Dispatch,
    Job,
    JobStatus,
    Participant,
    ParticipantKind,
    Room,
)

# Recovery has one owner, and it is the keeper: Cloud would restart a failed job by itself
# (livekit-behaviour 29).
JOB_RESTART_NEVER = agent_dispatch.JobRestartPolicy.JRP_NEVER
# CONNECTOR is a human over WhatsApp or Twilio (livekit-behaviour 42).
_HUMAN_KINDS = {
    models.ParticipantInfo.STANDARD,
    models.ParticipantInfo.SIP,
    models.ParticipantInfo.CONNECTOR,
}
LATEST_SECONDS = 253_402_300_799.0  # the end of the year 9999


def to_room_dispatch(order: AgentOrder) -> agent_dispatch.RoomAgentDispatch:
    """Write an order, in its own words, as CreateRoom has it; join_tokens.py writes a token's."""
    return agent_dispatch.RoomAgentDispatch(**vars(order), restart_policy=JOB_RESTART_NEVER)


def to_participant(participant: models.ParticipantInfo) -> Participant:
    """Read a participant from an answer or a webhook."""
    return Participant(
        participant_identity=participant.identity,
        participant_sid=participant.sid,
        kind=_to_kind(participant),
        joined_at=_from_seconds(participant.joined_at_ms / 1e3),
        region=participant.region,
        attributes=dict(participant.attributes),
        is_phone=participant.kind == models.ParticipantInfo.SIP,
        has_audio=any(track.type == models.TrackType.AUDIO for track in participant.tracks),
        is_active=participant.state == models.ParticipantInfo.ACTIVE,
        has_left_by_itself=participant.disconnect_reason
        == models.DisconnectReason.CLIENT_INITIATED,
    )


def _to_kind(participant: models.ParticipantInfo) -> ParticipantKind:
    if participant.kind == models.ParticipantInfo.AGENT:
        # An avatar is no second agent (livekit-behaviour 48).
        is_avatar = AVATAR_ATTRIBUTE in participant.attributes
        return ParticipantKind.OTHER if is_avatar else ParticipantKind.AGENT
    is_watching = participant.permission.hidden or participant.permission.recorder
    if participant.kind in _HUMAN_KINDS and not is_watching:
        return ParticipantKind.HUMAN
    return ParticipantKind.OTHER


def to_room(room: models.Room) -> Room:
    """Read a room; without milliseconds its age is told in whole seconds."""
    return Room(
        room_name=room.name,
        room_sid=room.sid,
        created_at=_from_seconds(room.creation_time_ms / 1e3 or room.creation_time),
        num_participants=room.num_participants,
        num_publishers=room.num_publishers,
    )


def to_changed_room(room: models.Room, before: Room | None) -> Room:
    """Read a room that may have changed: of thousands, few have in a second."""
    if (
        before is not None
        and before.room_sid == room.sid
        and before.num_participants == room.num_participants
        and before.num_publishers == room.num_publishers
    ):
        return before
    return to_room(room)


def to_dispatch(dispatch: agent_dispatch.AgentDispatch) -> Dispatch:
    """Read a dispatch and its jobs."""
    return Dispatch(
        dispatch_id=dispatch.id,
        agent_name=dispatch.agent_name,
        created_at=_from_seconds(dispatch.state.created_at / 1e9),
        metadata=dispatch.metadata,
        deployment=dispatch.deployment,
        attributes=dict(dispatch.attributes),
        jobs=tuple(_to_job(job) for job in dispatch.state.jobs),
    )


def _to_job(job: agent.Job) -> Job:
    return Job(
        job_id=job.id,
        status=_to_status(job.state.status),
        started_at=_from_seconds(job.state.started_at / 1e9),
        participant_identity=job.state.participant_identity,
    )


def _to_status(number: int) -> JobStatus:
    """Read a status; one that only a newer LiveKit knows is not known to be over."""
    try:
        return JobStatus(number)
    except ValueError:
        return JobStatus.RUNNING


def _from_seconds(seconds: float) -> datetime:
    """Read a time; what is beyond a datetime becomes the first or last that is not."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), LATEST_SECONDS), UTC)
