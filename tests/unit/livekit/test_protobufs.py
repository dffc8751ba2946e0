"""LiveKit's protobufs, read into plain values."""

from datetime import UTC, datetime
from typing import cast

import pytest
from livekit.protocol import agent, agent_dispatch, models

from token_server.livekit.port import AgentOrder, Dispatch, Job, JobStatus, ParticipantKind, Room
from token_server.livekit.protobufs import to_dispatch, to_participant, to_room, to_room_dispatch

TUTOR = AgentOrder(
    agent_name="tutor", metadata="be brief", deployment="canary", attributes={"table": "7"}
)

Info = models.ParticipantInfo
SECOND = datetime(2026, 1, 1, tzinfo=UTC)
MILLISECOND = datetime(2026, 1, 1, 0, 0, 0, 250_000, UTC)
MILLISECONDS = 1_767_225_600_250
NANOSECONDS = MILLISECONDS * 1_000_000


@pytest.mark.parametrize(
    ("kind", "ours"),
    [
        pytest.param(Info.STANDARD, ParticipantKind.HUMAN, id="standard"),
        pytest.param(Info.SIP, ParticipantKind.HUMAN, id="a phone"),
        pytest.param(Info.CONNECTOR, ParticipantKind.HUMAN, id="WhatsApp"),
        pytest.param(Info.AGENT, ParticipantKind.AGENT, id="agent"),
        pytest.param(Info.INGRESS, ParticipantKind.OTHER, id="ingress"),
        pytest.param(Info.EGRESS, ParticipantKind.OTHER, id="egress"),
        pytest.param(Info.BRIDGE, ParticipantKind.OTHER, id="a camera"),
    ],
)
def test_each_kind_is_human_agent_or_neither(
    kind: models.ParticipantInfo.Kind, ours: ParticipantKind
) -> None:
    """Only humans are waited on (livekit-behaviour 42)."""
    assert ours is to_participant(Info(kind=kind)).kind


@pytest.mark.parametrize(
    "permission",
    [
        pytest.param(models.ParticipantPermission(hidden=True), id="hidden"),
        pytest.param(models.ParticipantPermission(recorder=True), id="recorder"),
    ],
)
def test_who_only_watches_is_no_human(permission: models.ParticipantPermission) -> None:
    """A supervisor who listens in does not want an agent."""
    assert ParticipantKind.OTHER is to_participant(Info(permission=permission)).kind


def test_a_hidden_agent_is_an_agent() -> None:
    """Else a second one would be sent."""
    hidden = Info(kind=Info.AGENT, permission=models.ParticipantPermission(hidden=True))

    assert ParticipantKind.AGENT is to_participant(hidden).kind


def test_an_avatar_is_no_second_agent() -> None:
    """With AGENT_DISPATCH=automatic it has the name that is wanted, none, and was put out."""
    avatar = Info(kind=Info.AGENT, attributes={"lk.publish_on_behalf": "agent-AJ_1"})

    assert ParticipantKind.OTHER is to_participant(avatar).kind


def test_a_participant_is_read_with_attributes_and_milliseconds() -> None:
    """Whole seconds would put two joins of one second in the wrong order."""
    found = to_participant(
        Info(
            identity="agent-tutor",
            sid="PA_1",
            joined_at_ms=MILLISECONDS,
            attributes={"lk.agent.name": "tutor"},
        )
    )

    assert ("agent-tutor", "PA_1", MILLISECOND, "tutor") == (
        found.participant_identity,
        found.participant_sid,
        found.joined_at,
        found.agent_name,
    )


def test_the_agent_of_an_old_sdk_has_the_name_that_livekit_gives_it() -> None:
    """It was thrown out and sent for again, for ever."""
    old = to_participant(Info(kind=Info.AGENT, attributes={"lk.agent_name": "tutor"}))

    assert "tutor" == old.agent_name


def test_an_agent_without_the_attribute_is_unnamed() -> None:
    """An unnamed worker's."""
    assert "" == to_participant(Info(kind=Info.AGENT)).agent_name


@pytest.mark.parametrize(
    ("room", "created_at"),
    [
        pytest.param(models.Room(creation_time_ms=MILLISECONDS), MILLISECOND, id="milliseconds"),
        pytest.param(models.Room(creation_time=MILLISECONDS // 1000), SECOND, id="seconds only"),
    ],
)
def test_a_room_is_read(room: models.Room, created_at: datetime) -> None:
    """Older servers tell whole seconds."""
    room.MergeFrom(models.Room(name="kitchen", sid="RM_1", num_participants=2))

    expected = Room(room_name="kitchen", room_sid="RM_1", created_at=created_at, num_participants=2)
    assert expected == to_room(room)


def test_a_dispatch_is_read_with_its_jobs() -> None:
    """In nanoseconds, other than everything else (livekit-behaviour 27)."""
    job = agent.Job(
        id="AJ_1", state=agent.JobState(status=agent.JS_RUNNING, started_at=NANOSECONDS)
    )
    state = agent_dispatch.AgentDispatchState(created_at=NANOSECONDS, jobs=[job])

    found = to_dispatch(
        agent_dispatch.AgentDispatch(id="AD_1", agent_name="tutor", room="kitchen", state=state)
    )

    jobs = (Job(job_id="AJ_1", status=JobStatus.RUNNING, started_at=MILLISECOND),)
    assert found == Dispatch(
        dispatch_id="AD_1", agent_name="tutor", created_at=MILLISECOND, jobs=jobs
    )


def read_job(status: int) -> Job:
    """Read a job of this status."""
    job = agent.Job(state=agent.JobState(status=cast("agent.JobStatus", status)))
    state = agent_dispatch.AgentDispatchState(jobs=[job])
    return to_dispatch(agent_dispatch.AgentDispatch(state=state)).jobs[0]


@pytest.mark.parametrize("status", agent.JobStatus.values(), ids=agent.JobStatus.keys())
def test_every_job_status_of_the_protocol_is_known(status: int) -> None:
    """A new one comes with an upgrade of livekit-api, and is decided on then."""
    is_over = status in {agent.JS_SUCCESS, agent.JS_FAILED, agent.JS_CANCELLED}

    assert is_over is read_job(status).is_over


def test_a_job_status_of_a_newer_server_is_not_over() -> None:
    """Protobuf keeps unknown numbers; a look that fails at one leaves a human waiting for ever."""
    assert not read_job(99).is_over


def test_an_order_says_that_livekit_is_not_to_restart_it() -> None:
    """Recovery has one owner (livekit-behaviour 29)."""
    found = to_room_dispatch(TUTOR)

    assert found == agent_dispatch.RoomAgentDispatch(
        agent_name="tutor",
        metadata="be brief",
        deployment="canary",
        attributes={"table": "7"},
        restart_policy=agent_dispatch.JobRestartPolicy.JRP_NEVER,
    )


def test_a_dispatch_tells_what_it_was_made_of() -> None:
    """A replacement of what a SIP rule has sent is told the same."""
    found = to_dispatch(
        agent_dispatch.AgentDispatch(
            agent_name="tutor",
            metadata="be brief",
            deployment="canary",
            attributes={"table": "7"},
        )
    )

    assert TUTOR == found.order
