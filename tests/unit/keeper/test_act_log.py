"""One log line per act, for whoever asks what happened in a room."""

import logging
from contextlib import AbstractContextManager, nullcontext

import pytest

from tests.fakes import FakeLiveKit
from tests.lives import unasked
from token_server.keeper.look_at_room import Looker
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import AgentOrder
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SEALER = TicketSealer("a-made-up-secret-of-more-than-thirty-two-bytes")
AGENT = "voice-agent"
ACTS = {"CreateDispatch", "DeleteDispatch", "RemoveAgent"}
Line = tuple[str, str, str, float]


class Free:
    """Locks that nobody holds."""

    def hold_room(self, room_name: str) -> AbstractContextManager[bool]:
        """Let everybody in."""
        del room_name
        return nullcontext(enter_result=True)


class LateLiveKit(FakeLiveKit):
    """A LiveKit where somebody else is always a moment quicker."""

    def delete_dispatch(self, room_name: str, dispatch_id: str) -> bool:
        super().delete_dispatch(room_name, dispatch_id)
        return super().delete_dispatch(room_name, dispatch_id)

    def remove_participant(self, room_name: str, participant_identity: str) -> bool:
        super().remove_participant(room_name, participant_identity)
        return super().remove_participant(room_name, participant_identity)


def look(rooms: FakeLiveKit) -> None:
    """Look at "room"."""
    Looker(rooms, Free(), SEALER, Policy(agent_names=(AGENT,)), unasked(rooms)).look("room")


def join(rooms: FakeLiveKit) -> None:
    """Let alice join with our token."""
    sealed = SEALER.seal(Ticket("room", "alice", AgentOrder(agent_name=AGENT)))
    rooms.join("room", "alice", {TICKET_ATTRIBUTE: sealed})


def lines(caplog: pytest.LogCaptureFixture) -> list[Line]:
    """Return act, reason, outcome and waited seconds of each line; all are of one room."""
    found = [vars(record) for record in caplog.records if record.getMessage() in ACTS]
    assert {("room", AGENT)} >= {(line["room"], line["agent"]) for line in found}
    return [
        (line["message"], line["reason"], line["outcome"], line["waited_seconds"]) for line in found
    ]


@pytest.fixture(autouse=True)
def informed(caplog: pytest.LogCaptureFixture) -> None:
    """As gunicorn_conf.py sets it."""
    caplog.set_level(logging.INFO)


def test_a_dispatch_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """With how long the human had waited for it."""
    rooms = FakeLiveKit()
    join(rooms)
    rooms.pass_time(seconds=1.25)

    look(rooms)

    created = ("CreateDispatch", "a human waits and nothing is on its way", "done", 1.25)
    assert [created] == lines(caplog)


def test_a_repair_is_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    """What was taken back and why, and what replaced it."""
    rooms = FakeLiveKit()
    join(rooms)
    look(rooms)
    rooms.pass_time(seconds=6)
    caplog.clear()

    look(rooms)

    assert [
        ("DeleteDispatch", "no worker took it", "done", 6.0),
        ("CreateDispatch", "a human waits and nothing is on its way", "done", 6.0),
    ] == lines(caplog)


@pytest.mark.parametrize(
    ("rooms", "outcome"),
    [
        pytest.param(FakeLiveKit(), "done", id="by us"),
        pytest.param(LateLiveKit(), "gone before", id="by somebody else"),
    ],
)
def test_a_second_agent_put_out_is_a_line(
    caplog: pytest.LogCaptureFixture, rooms: FakeLiveKit, outcome: str
) -> None:
    """Which says whether it was us who did it."""
    join(rooms)
    for identity in ("first", "second"):
        rooms.pass_time(seconds=1)
        rooms.join_agent("room", AGENT, identity)

    look(rooms)

    assert [("RemoveAgent", "a second agent in the room", outcome, 2.0)] == lines(caplog)


def test_a_dispatch_that_somebody_else_took_back_is_no_act_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Several machines without Redis; the log must not claim one act twice."""
    rooms = LateLiveKit()
    join(rooms)
    rooms.create_dispatch("room", AgentOrder(agent_name=AGENT))
    rooms.pass_time(seconds=6)

    look(rooms)

    assert ("DeleteDispatch", "no worker took it", "gone before", 6.0) == lines(caplog)[0]


def test_looks_that_do_nothing_write_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Most of them."""
    rooms = FakeLiveKit()
    join(rooms)
    rooms.join_agent("room", AGENT)

    for _ in range(3):
        look(rooms)

    assert [] == lines(caplog)
