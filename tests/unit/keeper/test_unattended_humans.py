"""The longest wait of those who wait at present: what an alert is built on."""

import pytest

from tests.counted_looks import AGENT, SEALER, Server, join
from tests.fakes import FakeLiveKit
from token_server.errors import LiveKitUnavailableError
from token_server.livekit.port import AgentOrder
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket


@pytest.fixture
def rooms() -> FakeLiveKit:
    """An empty LiveKit."""
    return FakeLiveKit()


@pytest.fixture
def server(rooms: FakeLiveKit) -> Server:
    """A token server."""
    return Server(rooms)


def look_for(server: Server, rooms: FakeLiveKit, seconds: int, room_name: str = "room") -> None:
    """Look once a second, as the keeper does where a human waits."""
    server.look(room_name)
    for _ in range(seconds):
        rooms.pass_time(seconds=1)
        server.look(room_name)


def test_a_wait_grows_with_every_look(rooms: FakeLiveKit, server: Server) -> None:
    """No worker is there; the alert of 10 s comes after 10 s."""
    join(rooms, server)
    shown = []

    for _ in range(3):
        look_for(server, rooms, 5)
        shown.append(server.longest_unattended)

    assert [5, 10, 15] == shown


@pytest.mark.parametrize("end", ["agent", "human leaves", "room ends"])
def test_a_wait_ends_with_the_look_that_sees_its_end(
    rooms: FakeLiveKit, server: Server, end: str
) -> None:
    """A value that nobody takes back would be an alert for good."""
    join(rooms, server)
    look_for(server, rooms, 12)
    match end:
        case "agent":
            rooms.join_agent("room", AGENT)
        case "human leaves":
            rooms.leave("room", "alice")
        case _:
            rooms.end_room("room")

    server.look()

    assert 0 == server.longest_unattended


def test_many_short_waits_are_no_long_one(rooms: FakeLiveKit, server: Server) -> None:
    """There is always somebody who waits, and nobody waits for long."""
    shown = []
    for number in range(20):
        room_name, before = f"room-{number}", f"room-{number - 1}"
        join(rooms, server, room_name=room_name)
        look_for(server, rooms, 1, room_name)
        rooms.join_agent(before, AGENT)
        server.look(before)
        shown.append(server.longest_unattended)

    assert [1.0] * 20 == shown


def test_the_longest_of_several_waits_is_told(rooms: FakeLiveKit, server: Server) -> None:
    """Not the latest, nor their sum."""
    join(rooms, server, "alice", "first")
    look_for(server, rooms, 7, "first")
    join(rooms, server, "bob", "second")
    look_for(server, rooms, 2, "second")

    assert 7 == server.longest_unattended


def test_an_agent_that_is_lost_late_in_a_call_begins_a_wait_of_its_own(
    rooms: FakeLiveKit, server: Server
) -> None:
    """The human joined five minutes ago and was attended until now."""
    join(rooms, server)
    rooms.join_agent("room", AGENT)
    server.look()
    rooms.pass_time(minutes=5)
    rooms.leave("room", f"agent-{AGENT}")

    look_for(server, rooms, 3)

    assert 3 == server.longest_unattended


def test_a_process_that_comes_late_does_not_guess(rooms: FakeLiveKit, server: Server) -> None:
    """It sweeps a room that another looked after: the agent may have left a moment ago."""
    join(rooms, None)
    rooms.pass_time(minutes=5)

    look_for(server, rooms, 2)

    assert 2 == server.longest_unattended


def test_another_human_waits_from_their_own_join(rooms: FakeLiveKit, server: Server) -> None:
    """The first one gave up, the second came, and nobody looked in between."""
    join(rooms, server, "alice")
    look_for(server, rooms, 8)
    rooms.leave("room", "alice")
    rooms.pass_time(seconds=1)
    join(rooms, server, "bob")
    rooms.pass_time(seconds=1)

    server.look()

    assert 1 == server.longest_unattended


def test_each_agent_of_a_room_has_a_wait_of_its_own(rooms: FakeLiveKit, server: Server) -> None:
    """One agent is there, the other is not."""
    join(rooms, server, "alice")
    rooms.join_agent("room", AGENT)
    order = AgentOrder(agent_name="transcriber")
    sealed = SEALER.seal(Ticket("room", "bob", order))
    rooms.join("room", "bob", {TICKET_ATTRIBUTE: sealed})

    look_for(server, rooms, 4)

    assert 4 == server.longest_unattended


def test_a_process_that_may_not_act_sees_the_wait_all_the_same(rooms: FakeLiveKit) -> None:
    """Another actor holds the room, and may hold it for good."""
    server = Server(rooms, locks_are_free=False)
    join(rooms, server)

    look_for(server, rooms, 11)

    assert 11 == server.longest_unattended


def test_while_livekit_is_silent_a_wait_does_not_grow_and_is_forgotten(
    rooms: FakeLiveKit, server: Server
) -> None:
    """Nobody knows; that LiveKit does not answer is an alert of its own."""
    join(rooms, server)
    look_for(server, rooms, 4)
    rooms.is_down = True
    shown = []

    for seconds in (0, 30, 31):
        rooms.pass_time(seconds=seconds)
        with pytest.raises(LiveKitUnavailableError):
            server.look()
        shown.append(server.longest_unattended)

    assert [4, 4, 0] == shown


def test_a_wait_is_never_negative(rooms: FakeLiveKit, server: Server) -> None:
    """LiveKit's clock is known within a second: a human may join in the future."""
    join(rooms, server)
    rooms.pass_time(seconds=-1)

    server.look()

    assert 0 == server.longest_unattended
