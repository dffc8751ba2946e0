import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from livekit import rtc
from livekit.protocol.agent import Job
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, Room
from livekit.protocol.room import (
    ListParticipantsResponse,
    ListRoomsResponse,
    UpdateParticipantRequest,
)

from agent.release import ReleaseError, release
from shared_settings.release_marks import is_released
from tests.environ import settings
from tests.processes import AGENT_NAME, API_SECRET
from tests.twirp_server import CUT, Canned, TwirpServer, answer
from tests.unit.agent.test_humans import FakeParticipant, FakeRoom

PEOPLE = [
    ParticipantInfo(identity="alice"),
    ParticipantInfo(identity="sip_1", kind=ParticipantInfo.SIP),
    ParticipantInfo(identity="agent-1", kind=ParticipantInfo.AGENT),
    ParticipantInfo(identity="boss", permission=ParticipantPermission(hidden=True)),
]
DONE = answer(ParticipantInfo())
REFUSED = Canned(status=401)


@dataclass
class Seen(FakeParticipant):
    """A human whom our agent sees."""

    identity: str = "bob"


@dataclass
class FakeContext:
    """A job's context, as far as we ask it."""

    room: FakeRoom
    is_fake: bool = False
    job: Job = field(default_factory=lambda: Job(room=Room(name="lobby"), agent_name=AGENT_NAME))

    def is_fake_job(self) -> bool:
        return self.is_fake


def livekit(*answers: Canned) -> TwirpServer:
    """Return a LiveKit with PEOPLE in its lobby; the answers are to whoever changes one of them."""
    server = TwirpServer(*answers)
    server.answers_to = {
        "/twirp/livekit.RoomService/ListRooms": answer(
            ListRoomsResponse(rooms=[Room(name="lobby", sid="RM_1")])
        ),
        "/twirp/livekit.RoomService/ListParticipants": answer(
            ListParticipantsResponse(participants=PEOPLE)
        ),
    }
    return server


def let_go(
    server: TwirpServer, *seen: Seen, identity: str | None = None, is_fake: bool = False
) -> None:
    """Let the lobby's agent release somebody, or all."""
    context: Any = FakeContext(FakeRoom(*seen), is_fake)
    asyncio.run(release(context, settings(LIVEKIT_URL=server.url), identity))


def marked(server: TwirpServer) -> list[str]:
    """Return for whom LiveKit has got a genuine mark, each time that it has."""
    changes = [
        UpdateParticipantRequest.FromString(asked.body)
        for asked in server.asked
        if asked.path.endswith("/UpdateParticipant")
    ]
    return sorted(
        change.identity
        for change in changes
        if is_released([API_SECRET], "lobby", change.identity, AGENT_NAME, change.attributes)
    )


def test_all_humans_of_the_room_are_released() -> None:
    """LiveKit knows of them before the agent sees them; machines want no agent anyway."""
    with livekit(DONE) as server:
        let_go(server)

        assert ["alice", "sip_1"] == marked(server)


def test_a_human_whom_an_answer_leaves_out_is_released() -> None:
    """One answer may be old (livekit-behaviour 95), and the agent talks with them."""
    with livekit(DONE) as server:
        let_go(server, Seen(), Seen(kind=rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS, identity="x"))

        assert ["alice", "bob", "sip_1"] == marked(server)


def test_one_human_is_released_and_the_others_keep_the_agent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of two callers one is done; the log says who."""
    caplog.set_level("INFO")

    with livekit(DONE) as server:
        let_go(server, Seen(), identity="alice")

        assert ["alice"] == marked(server)
    (record,) = caplog.records
    assert ("released", ["alice"]) == (record.message, vars(record)["participants"])


def test_a_release_that_fails_is_tried_again() -> None:
    """LiveKit may be busy, or restart."""
    with livekit(CUT, DONE) as server:
        let_go(server, identity="alice")

        assert ["alice", "alice"] == marked(server)


def test_a_release_that_keeps_failing_says_so() -> None:
    """Whoever ended the job now would bring the caller the next agent."""
    with livekit(REFUSED) as server:
        with pytest.raises(ReleaseError, match="LiveKit could not be told"):
            let_go(server, identity="alice")

        assert ["alice"] * 3 == marked(server)


def test_nobody_is_released_from_the_console() -> None:
    """`python -m agent console` has no room."""
    with livekit(DONE) as server:
        let_go(server, is_fake=True)

        assert [] == server.asked
