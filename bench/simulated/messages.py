"""The port's plain values on one side, LiveKit's protobufs on the other: protobufs.py, turned."""

from datetime import datetime, timedelta

from livekit.protocol import agent, agent_dispatch, models
from livekit.protocol import room as room_protocol

from token_server.livekit.port import (
    AgentOrder,
    Dispatch,
    Job,
    Participant,
    ParticipantKind,
    Room,
    RoomOrder,
)

_KINDS = {
    ParticipantKind.HUMAN: models.ParticipantInfo.STANDARD,
    ParticipantKind.AGENT: models.ParticipantInfo.AGENT,
    ParticipantKind.OTHER: models.ParticipantInfo.EGRESS,
}
_AUDIO = models.TrackInfo(sid="TR_1", type=models.TrackType.AUDIO)


def from_room(room: Room) -> models.Room:
    """Write a room."""
    return models.Room(
        sid=room.room_sid,
        name=room.room_name,
        creation_time=int(room.created_at.timestamp()),
        creation_time_ms=_milliseconds(room.created_at),
    )


def from_participant(participant: Participant) -> models.ParticipantInfo:
    """Write somebody who is there."""
    kind = models.ParticipantInfo.SIP if participant.is_phone else _KINDS[participant.kind]
    return models.ParticipantInfo(
        sid=participant.participant_sid,
        identity=participant.participant_identity,
        state=models.ParticipantInfo.ACTIVE,
        joined_at=int(participant.joined_at.timestamp()),
        joined_at_ms=_milliseconds(participant.joined_at),
        kind=kind,
        attributes=participant.attributes,
        tracks=[_AUDIO] if participant.has_audio else (),
    )


def from_dispatch(dispatch: Dispatch, room_name: str) -> agent_dispatch.AgentDispatch:
    """Write a dispatch and its jobs; LiveKit tells their times in nanoseconds."""
    return agent_dispatch.AgentDispatch(
        id=dispatch.dispatch_id,
        agent_name=dispatch.agent_name,
        room=room_name,
        metadata=dispatch.metadata,
        deployment=dispatch.deployment,
        attributes=dispatch.attributes,
        state=agent_dispatch.AgentDispatchState(
            jobs=[_from_job(job, dispatch.dispatch_id) for job in dispatch.jobs],
            created_at=_nanoseconds(dispatch.created_at),
        ),
    )


def to_room_order(request: room_protocol.CreateRoomRequest) -> RoomOrder:
    """Read what CreateRoom asks for; LiveKit's own time-outs where it says none."""
    return RoomOrder(
        room_name=request.name,
        empty_timeout=timedelta(seconds=request.empty_timeout or 300),
        departure_timeout=timedelta(seconds=request.departure_timeout or 20),
        agents=tuple(to_agent_order(order) for order in request.agents),
    )


def to_agent_order(
    order: agent_dispatch.RoomAgentDispatch | agent_dispatch.CreateAgentDispatchRequest,
) -> AgentOrder:
    """Read which agent is to come."""
    return AgentOrder(
        agent_name=order.agent_name,
        metadata=order.metadata,
        deployment=order.deployment,
        attributes=dict(order.attributes),
    )


def _from_job(job: Job, dispatch_id: str) -> agent.Job:
    return agent.Job(
        id=job.job_id,
        dispatch_id=dispatch_id,
        state=agent.JobState(
            status=agent.JobStatus.Name(job.status.value),
            started_at=_nanoseconds(job.started_at),
            participant_identity=job.participant_identity,
        ),
    )


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1e3)


def _nanoseconds(time: datetime) -> int:
    return int(time.timestamp() * 1e9)
