import asyncio
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from livekit import rtc

from agent.humans import LeaveWithLastHuman, Pauses, is_human

KINDS = rtc.ParticipantKind
CONNECTED = rtc.ConnectionState.CONN_CONNECTED


@dataclass
class FakePermissions:
    """What the SDK says of a participant's permissions, as far as we ask."""

    hidden: bool = False


@dataclass
class FakeParticipant:
    """A participant, as far as we look at one."""

    kind: int = KINDS.PARTICIPANT_KIND_STANDARD
    permissions: FakePermissions = field(default_factory=FakePermissions)


class FakeRoom(rtc.EventEmitter[str]):
    """A room that emits what a test says and knows who is there."""

    def __init__(self, *present: FakeParticipant) -> None:
        super().__init__()
        self.connection_state = CONNECTED
        self.remote_participants = dict(enumerate(present))


class FakeKnown:
    """Gives the answers in order, one look after the other; then LiveKit knows of nobody."""

    def __init__(self, answers: Iterable[bool] = ()) -> None:
        self._answers = iter(answers)
        self.looks = 0

    async def has_human(self) -> bool:
        self.looks += 1
        return next(self._answers, False)

    async def has_nobody(self) -> bool:
        return not await self.has_human()


def left(room: FakeRoom, *gone: FakeParticipant, unseen: Iterable[bool] = ()) -> int:
    """Let participants leave a room; return how often the agent left after them.

    `unseen`: what LiveKit answers, one look after the other, when asked for humans.
    """

    async def run() -> int:
        times: list[str] = []
        leaving(room, FakeKnown(unseen), times)
        for participant in gone:
            room.emit("participant_disconnected", participant)
        await turns()
        return len(times)

    return asyncio.run(run())


async def turns() -> None:
    """Let everybody go on who waits for no longer than the loop's next turn."""
    for _ in range(50):
        await asyncio.sleep(0)


def leaving(room: FakeRoom, known: FakeKnown, times: list[str]) -> LeaveWithLastHuman:
    """Return what makes an agent leave without a pause; each leaving is noted."""
    pauses = Pauses(grace=0, unseen=0)
    return LeaveWithLastHuman(cast("rtc.Room", room), lambda: times.append("left"), known, pauses)


def left_alone(room: FakeRoom, known: FakeKnown) -> int:
    """Let an agent enter a room that it was sent to for a human; return how often it left."""

    async def run() -> int:
        times: list[str] = []
        leaving(room, known, times).expect_somebody()
        await turns()
        return len(times)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "human"),
    [
        ("STANDARD", True),
        ("SIP", True),
        ("CONNECTOR", True),
        ("INGRESS", False),
        ("EGRESS", False),
        ("AGENT", False),
        ("BRIDGE", False),
    ],
)
def test_people_are_told_from_machines_by_their_kind(name: str, *, human: bool) -> None:
    """A phone call is a person; a recording that runs on must not keep an agent in the room."""
    participant = FakeParticipant(KINDS.Value(f"PARTICIPANT_KIND_{name}"))

    assert human == is_human(cast("rtc.Participant", participant))


def test_a_hidden_participant_is_no_human() -> None:
    """Supervisors and recorders listen in without being there."""
    participant: Any = FakeParticipant(permissions=FakePermissions(hidden=True))

    assert not is_human(participant)


def test_the_agent_leaves_once_the_last_human_has_left() -> None:
    """An agent alone costs money and hides that nobody is there."""
    egress = FakeParticipant(KINDS.PARTICIPANT_KIND_EGRESS)

    assert left(FakeRoom(egress), FakeParticipant()) == 1


def test_an_agent_stays_for_a_human_whom_only_livekit_sees() -> None:
    """A reload: the page is back before its leaving was announced (livekit-behaviour 46)."""
    always = itertools.cycle([True])

    assert left(FakeRoom(), FakeParticipant(), unseen=always) == 0


def test_an_agent_leaves_when_the_unseen_human_has_left_too() -> None:
    """Somebody who came and went between two announcements is never seen at all."""
    assert left(FakeRoom(), FakeParticipant(), unseen=[True, True, False]) == 1


def test_the_agent_stays_with_the_human_who_stays() -> None:
    """Of two callers one may hang up."""
    assert left(FakeRoom(FakeParticipant()), FakeParticipant()) == 0


def test_a_machine_that_leaves_changes_nothing() -> None:
    """An agent that came before its human is not sent away by the end of a recording."""
    assert left(FakeRoom(), FakeParticipant(KINDS.PARTICIPANT_KIND_EGRESS)) == 0


def test_a_broken_connection_is_not_an_empty_room() -> None:
    """A client that reconnects sees everybody leave: it cannot tell, so it stays."""
    room = FakeRoom()
    room.connection_state = rtc.ConnectionState.CONN_RECONNECTING

    assert left(room, FakeParticipant()) == 0


def test_an_agent_leaves_when_its_human_has_gone_before_it_came() -> None:
    """A call that was cancelled while it rang: a seat less for others, until the room ends."""
    assert left_alone(FakeRoom(), FakeKnown([True, True, False])) == 1


def test_an_agent_stays_with_the_human_whom_it_was_sent_for() -> None:
    """The usual case, which costs no question."""
    known = FakeKnown()

    assert (0, 0) == (left_alone(FakeRoom(FakeParticipant()), known), known.looks)


def test_an_agent_stays_where_livekit_knows_of_its_human() -> None:
    """Somebody without tracks is announced up to 3 s late (livekit-behaviour 46)."""
    assert left_alone(FakeRoom(), FakeKnown(itertools.cycle([True]))) == 0


def test_an_agent_without_a_connection_asks_for_nobody() -> None:
    """Whoever it sees or does not see then says nothing."""
    room, known = FakeRoom(), FakeKnown()
    room.connection_state = rtc.ConnectionState.CONN_RECONNECTING

    assert (0, 0) == (left_alone(room, known), known.looks)
