"""The doctor, where a human waits in a live room."""

from collections.abc import Sequence

import pytest

from tests.environ import settings
from tests.fakes import FakeLiveKit
from token_server.cli.doctor.checks import Check, Finding
from token_server.cli.doctor.here import Here
from token_server.cli.doctor.peopled_rooms import look_into_rooms
from token_server.cli.doctor.waiting_humans import Wait, WaitingHumans, check_waits
from token_server.livekit.port import AgentOrder
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SETTINGS = settings(AGENT_NAMES="concierge")
SEALER = TicketSealer(*SETTINGS.webhook_secrets.values())


def join(rooms: FakeLiveKit, room_name: str, agent_name: str | None = "concierge") -> None:
    """Let alice join, for an agent or for none."""
    order = None if agent_name is None else AgentOrder(agent_name=agent_name)
    sealed = SEALER.seal(Ticket(room_name, "alice", order))
    rooms.join(room_name, "alice", {TICKET_ATTRIBUTE: sealed})


def before_probe(rooms: FakeLiveKit) -> WaitingHumans:
    """Look for the first time."""
    return WaitingHumans(rooms, SETTINGS, look_into_rooms(rooms))


def names(waits: Sequence[Wait]) -> list[tuple[str, str]]:
    """Return who waits where for whom."""
    return [(wait.room_name, wait.agent_name) for wait in waits]


def test_who_waits_before_the_probe_and_after_it_is_found() -> None:
    """The longest wait is the first."""
    rooms = FakeLiveKit()
    join(rooms, "doctor-smith")
    rooms.pass_time(seconds=2)
    join(rooms, "attic", "voice-agent")
    waiting = before_probe(rooms)
    rooms.pass_time(seconds=5)

    assert [("doctor-smith", "concierge"), ("attic", "voice-agent")] == names(waiting.still())


def test_who_has_an_agent_or_wants_none_or_has_just_come_does_not_wait() -> None:
    """A doctor that finds something in everybody is not asked again."""
    rooms = FakeLiveKit()
    join(rooms, "attended")
    rooms.join_agent("attended", "concierge")
    join(rooms, "agentless", None)
    join(rooms, "doctor-0123456789ab")
    join(rooms, "came")
    rooms.pass_time(seconds=9)
    join(rooms, "just-joined")
    waiting = before_probe(rooms)
    join(rooms, "later")
    rooms.join_agent("came", "concierge")
    rooms.pass_time(seconds=2)

    assert [] == waiting.still()


def test_a_livekit_that_tells_nothing_has_nobody_who_waits() -> None:
    """That it fails is told elsewhere."""
    rooms = FakeLiveKit()
    join(rooms, "lobby")
    waiting = before_probe(rooms)
    rooms.pass_time(seconds=9)
    rooms.is_down = True

    assert [] == waiting.still()
    rooms.is_down = True
    assert [] == before_probe(rooms).still()


def checked(examined: str, *, is_well: bool) -> Check | None:
    """Have one wait for `concierge`, for 20 s."""
    rooms = FakeLiveKit()
    wait = Wait(room_name="the lobby", agent_name="concierge", since=rooms.now())
    rooms.pass_time(seconds=20)
    return check_waits([wait], examined, is_well=is_well, now=rooms.now())


@pytest.mark.parametrize("is_well", [True, False])
def test_another_agent_is_to_be_examined(is_well: bool) -> None:  # noqa: FBT001
    """`All well` was said while a human waited."""
    check = checked("voice-agent", is_well=is_well)

    assert check is not None
    assert (Finding.WRONG, "human-waits") == (check.finding, check.cause)
    assert ("room the lobby: a human waits for `concierge`, 20 s",) == check.evidence
    assert (".venv/bin/token-server doctor --url http://a --agent concierge",) == Here(
        programs=".venv/bin/", url="http://a", agent="voice-agent"
    ).commands(check.steps)


def test_of_the_examined_agent_the_room_is_looked_at_if_it_came_to_the_doctor() -> None:
    """Where it did not, the doctor has said why."""
    check = checked("concierge", is_well=True)

    assert check is not None
    assert ("token-server room 'the lobby'",) == Here().commands(check.steps)
    assert checked("concierge", is_well=False) is None
