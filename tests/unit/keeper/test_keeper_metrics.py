"""What Prometheus learns of looks, from real looks at a LiveKit in memory."""

import pytest

from tests.counted_looks import AGENT, SEALER, Server, join, ticket
from tests.fakes import FakeLiveKit
from token_server.livekit.port import AgentOrder
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket

CREATED = (
    'decisions_total{decision="CreateDispatch",reason="a human waits and nothing is on its way"}'
)


@pytest.fixture
def rooms() -> FakeLiveKit:
    """An empty LiveKit."""
    return FakeLiveKit()


@pytest.fixture
def server(rooms: FakeLiveKit) -> Server:
    """The server that issues the tokens."""
    return Server(rooms)


def test_a_human_is_counted_once_from_join_to_attended(rooms: FakeLiveKit, server: Server) -> None:
    """By LiveKit's own times: when we happen to look makes no difference."""
    join(rooms, server)
    server.look()
    rooms.pass_time(seconds=0.4)
    rooms.join_agent("room", AGENT)
    rooms.pass_time(seconds=3)

    for _ in range(3):
        server.look()

    assert ((1, 0.4), 1) == (server.attended, server.counted("humans_joined_total"))


def test_of_several_servers_only_the_one_that_issued_the_token_counts(
    rooms: FakeLiveKit, server: Server
) -> None:
    """All of them look at the room: whichever the webhook reaches, and the sweeper."""
    other = Server(rooms)
    join(rooms, server)
    for looking in (server, other):
        looking.look()
    rooms.pass_time(seconds=1)
    rooms.join_agent("room", AGENT)

    for looking in (other, server):
        looking.look()

    assert ((1, 1.0), (0, 0)) == (server.attended, other.attended)


def test_a_human_who_waits_has_come_and_is_not_attended(rooms: FakeLiveKit, server: Server) -> None:
    """The difference of the two counts is who waits, or went without an agent."""
    join(rooms, server)

    server.look()

    assert ((0, 0), 1) == (server.attended, server.counted("humans_joined_total"))


def test_an_agent_that_was_there_first_is_no_wait(rooms: FakeLiveKit, server: Server) -> None:
    """AGENT_DISPATCH=token, and the second human in a room."""
    rooms.join_agent("room", AGENT)
    rooms.pass_time(seconds=5)
    join(rooms, server)

    server.look()

    assert (1, 0) == server.attended


def test_two_humans_of_one_agent_are_two_waits(rooms: FakeLiveKit, server: Server) -> None:
    """Each from their own join."""
    join(rooms, server, "alice")
    rooms.pass_time(seconds=1)
    join(rooms, server, "bob")
    rooms.pass_time(seconds=1)
    rooms.join_agent("room", AGENT)

    server.look()

    assert (2, 3.0) == server.attended


def test_an_agent_of_another_name_is_not_who_they_wait_for(
    rooms: FakeLiveKit, server: Server
) -> None:
    """A transcriber, say."""
    join(rooms, server)
    rooms.join_agent("room", "transcriber")

    server.look()

    assert (0, 0) == server.attended


def test_a_human_whose_server_is_gone_is_not_counted(rooms: FakeLiveKit, server: Server) -> None:
    """docs/metrics.md says so: a restart loses those who wait at that moment."""
    join(rooms, None)
    rooms.join_agent("room", AGENT)

    server.look()

    assert ((0, 0), 0) == (server.attended, server.counted("humans_joined_total"))


def test_decisions_are_counted_by_their_reason(rooms: FakeLiveKit, server: Server) -> None:
    """The words of the log: what is counted here can be searched for there."""
    server.look()
    join(rooms, server)
    server.look()
    rooms.join_agent("room", AGENT)
    server.look()

    assert (1, 1, 1) == (
        server.counted(CREATED),
        server.counted('decisions_total{decision="Wait",reason="a dispatch may still deliver"}'),
        server.counted('decisions_total{decision="Settled",reason="one agent is there"}'),
    )


def test_looks_are_counted_by_how_they_ended(rooms: FakeLiveKit, server: Server) -> None:
    """Waiting ones are repeated; failed ones are LiveKit's trouble or a bug."""
    server.look()
    join(rooms, server)
    server.look()
    server.counts.look_failed()

    outcomes = [f'looks_total{{outcome="{name}"}}' for name in ("done", "waiting", "failed")]
    assert [1, 1, 1] == [server.counted(outcome) for outcome in outcomes]


def test_a_dispatch_that_replaces_one_is_a_repair(rooms: FakeLiveKit, server: Server) -> None:
    """The first is none; a job that nobody took and is sent anew is one."""
    join(rooms, server)
    server.look()
    assert 0 == server.counted("dispatches_repaired_total")
    rooms.pass_time(seconds=6)

    server.look()

    assert (1, 2) == (server.counted("dispatches_repaired_total"), server.counted(CREATED))


def test_another_agents_dispatch_is_not_repaired_by_ours(
    rooms: FakeLiveKit, server: Server
) -> None:
    """Two names in a room are attended each on its own."""
    rooms.join("room", "bob", {TICKET_ATTRIBUTE: ticket("bob")})
    server.look()
    rooms.leave("room", "bob")
    order = AgentOrder(agent_name="other")
    rooms.join("room", "carol", {TICKET_ATTRIBUTE: SEALER.seal(Ticket("room", "carol", order))})

    server.look()

    assert 0 == server.counted("dispatches_repaired_total")


def test_webhooks_are_counted_with_their_age(server: Server) -> None:
    """Minutes here mean that LiveKit's queue is full; one from the future is a clock's error."""
    for age in (2.5, -1.0, None):
        server.counts.webhook_arrived("room_started", age)

    assert (3, 2, 2.5) == (
        server.counted("webhooks_received_total"),
        server.counted("webhook_age_seconds_count"),
        server.counted("webhook_age_seconds_sum"),
    )


def test_webhooks_are_counted_by_event(server: Server) -> None:
    """LiveKit may leave some out; what it calls the others is no label."""
    for event in ("participant_joined", "participant_joined", "room_started", "made up"):
        server.counts.webhook_arrived(event, None)

    assert (4, 2, 0) == (
        server.counted("webhooks_received_total"),
        server.counted('webhook_events_total{event="participant_joined"}'),
        server.counted('webhook_events_total{event="participant_left"}'),
    )
