"""A phone rings until its agent can be heard: until then its caller is not attended."""

import pytest

from tests.counted_looks import AGENT, Server
from tests.fakes import FakeLiveKit
from token_server.keeper.phone_callers import Caller, PhoneCallers
from token_server.livekit.port import AVATAR_ATTRIBUTE, ParticipantKind

ROOM = "phone-1"


@pytest.fixture
def rooms() -> FakeLiveKit:
    """A LiveKit with one caller in it."""
    rooms = FakeLiveKit()
    call(rooms)
    return rooms


@pytest.fixture
def server(rooms: FakeLiveKit) -> Server:
    """A token server."""
    return Server(rooms)


def call(rooms: FakeLiveKit, identity: str = "sip_+4930123456") -> None:
    """Let somebody come over a phone line."""
    rooms.join(ROOM, identity, is_phone=True)


def bring_agent(rooms: FakeLiveKit, *, is_heard: bool = True) -> str:
    """Let the agent join; return its identity."""
    agent = rooms.join_agent(ROOM, AGENT).participant_identity
    if is_heard:
        rooms.publish_audio(ROOM, agent)
    return agent


def heard(server: Server) -> tuple[float, float]:
    """Return how many callers have heard an agent, and after how many seconds altogether."""
    name = "phone_join_to_heard_seconds"
    return server.counted(f"{name}_count"), server.counted(f"{name}_sum")


def test_a_room_is_looked_at_again_soon_until_its_caller_hears_the_agent(
    rooms: FakeLiveKit, server: Server
) -> None:
    """The end of the ringing is seen, and an agent that never speaks as well."""
    agent = bring_agent(rooms, is_heard=False)
    silent = server.look(ROOM).again_in
    rooms.publish_audio(ROOM, agent)

    assert (0.5, None) == (silent, server.look(ROOM).again_in)


def test_a_room_whose_silent_agent_goes_is_looked_at_as_any_other(
    rooms: FakeLiveKit, server: Server
) -> None:
    """It waits for an agent then."""
    agent = bring_agent(rooms, is_heard=False)
    server.look(ROOM)
    rooms.leave(ROOM, agent)
    rooms.leave(ROOM, "sip_+4930123456")

    assert server.look(ROOM).again_in is None


def test_what_is_decided_does_not_depend_on_sound(rooms: FakeLiveKit, server: Server) -> None:
    """An agent that is about to speak is not sent for twice."""
    bring_agent(rooms, is_heard=False)

    server.look(ROOM)

    assert ([], 1) == (
        rooms.created,
        server.counted('decisions_total{decision="Settled",reason="one agent is there"}'),
    )


def test_a_human_without_a_phone_is_attended_by_an_agent_that_is_there(
    rooms: FakeLiveKit, server: Server
) -> None:
    """A page shows that its agent is there; the agent may write only."""
    rooms.leave(ROOM, "sip_+4930123456")
    rooms.join(ROOM, "alice")
    bring_agent(rooms, is_heard=False)

    assert (None, 0.0, (0, 0)) == (
        server.look(ROOM).again_in,
        server.longest_unattended,
        heard(server),
    )


def test_a_caller_waits_until_the_look_that_has_seen_the_sound(
    rooms: FakeLiveKit, server: Server
) -> None:
    """That is how long the phone has rung."""
    server.look(ROOM)
    rooms.pass_time(seconds=0.5)
    agent = bring_agent(rooms, is_heard=False)
    server.look(ROOM)
    rooms.pass_time(seconds=0.25)
    rooms.publish_audio(ROOM, agent)

    for _ in range(3):
        server.look(ROOM)
        rooms.pass_time(seconds=5)

    assert ((1, 0.75), (0, 0)) == (heard(server), server.attended)


def test_a_caller_who_hears_the_agent_at_the_first_look_has_waited_for_its_join(
    rooms: FakeLiveKit, server: Server
) -> None:
    """A token server that was down during the call."""
    rooms.pass_time(seconds=0.5)
    bring_agent(rooms)
    rooms.pass_time(seconds=600)

    server.look(ROOM)

    assert (1, 0.5) == heard(server)


def test_a_second_caller_of_a_room_is_a_call_of_their_own(
    rooms: FakeLiveKit, server: Server
) -> None:
    """The agent is there and speaks: nothing rings."""
    bring_agent(rooms)
    server.look(ROOM)
    rooms.pass_time(seconds=60)
    call(rooms, "sip_+4930999999")
    rooms.pass_time(seconds=3)

    server.look(ROOM)

    assert (2, 0.0) == heard(server)


def test_the_next_agent_of_a_call_is_no_second_call(rooms: FakeLiveKit, server: Server) -> None:
    """The first was lost; agents_dead_total and the log have that."""
    rooms.leave(ROOM, bring_agent(rooms))
    server.look(ROOM)
    rooms.pass_time(seconds=5)
    bring_agent(rooms)

    server.look(ROOM)
    rooms.pass_time(seconds=5)
    server.look(ROOM)

    assert 1 == heard(server)[0]


def test_an_avatar_is_the_voice_of_its_agent(rooms: FakeLiveKit, server: Server) -> None:
    """The agent itself publishes no sound then (livekit-behaviour 48)."""
    agent = bring_agent(rooms, is_heard=False)
    rooms.join(ROOM, "avatar", {AVATAR_ATTRIBUTE: agent}, ParticipantKind.OTHER)
    rooms.publish_audio(ROOM, "avatar")

    assert (None, 1) == (server.look(ROOM).again_in, heard(server)[0])


@pytest.mark.parametrize("other", ["sip_+4930123456", "music", "transcriber"])
def test_whoever_else_is_heard_is_not_the_agent(
    rooms: FakeLiveKit, server: Server, other: str
) -> None:
    """The caller themselves, an ingress, an agent of another name."""
    bring_agent(rooms, is_heard=False)
    rooms.join(ROOM, "music", kind=ParticipantKind.OTHER)
    rooms.join_agent(ROOM, "transcriber", "transcriber")
    rooms.publish_audio(ROOM, other)

    assert (0.5, (0, 0)) == (server.look(ROOM).again_in, heard(server))


def test_a_caller_who_does_not_hear_their_agent_is_unattended(
    rooms: FakeLiveKit, server: Server
) -> None:
    """An agent that never publishes lets phones ring for minutes: that is an alert."""
    agent = bring_agent(rooms, is_heard=False)
    server.look(ROOM)
    rooms.pass_time(seconds=12)
    server.look(ROOM)
    waited = server.longest_unattended
    rooms.publish_audio(ROOM, agent)

    server.look(ROOM)

    assert (12.0, 0.0) == (waited, server.longest_unattended)


def test_a_caller_whom_another_process_has_counted_is_not_counted_again(
    rooms: FakeLiveKit,
) -> None:
    """Webhooks reach any process, and one of them sweeps."""
    counted_sids: list[str] = []

    def is_first(sid: str) -> bool:
        counted_sids.append(sid)
        return counted_sids.count(sid) == 1

    servers = [Server(rooms, count_caller=is_first) for _ in range(2)]
    bring_agent(rooms)

    for _ in range(3):
        for each in servers:
            each.look(ROOM)

    assert ([1, 0], 2) == ([heard(each)[0] for each in servers], len(counted_sids))


def test_callers_take_bounded_memory() -> None:
    """Whoever was seen first is forgotten first, and the other processes know them still."""
    asked: list[str] = []

    def is_first(sid: str) -> bool:
        asked.append(sid)
        return True

    callers = PhoneCallers(is_first)

    def hear(number: int) -> None:
        caller = Caller(
            participant_sid=f"PA_{number}", agent_name=AGENT, here_for=1.0, agent_after=0.5
        )
        list(callers.looked([caller]))

    for number in range(10_001):
        hear(number)
    hear(10_000)
    hear(0)

    assert ("PA_0", 10_002) == (asked[-1], len(asked))
