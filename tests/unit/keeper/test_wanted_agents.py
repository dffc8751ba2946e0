"""Who in a room wants which agent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared_settings.release_marks import release_attribute, release_mark
from tests.fakes import START, FakeLiveKit
from tests.long_metadata import LONG_METADATA
from tests.processes import API_SECRET
from token_server.keeper.wanted_agents import Policy, Want, Wishes, wants
from token_server.livekit.port import AgentOrder, Dispatch, ParticipantKind
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SEALER = TicketSealer(API_SECRET)
TUTOR = AgentOrder(agent_name="tutor", metadata="be brief")
COOK = AgentOrder(agent_name="cook")
ONLY_TICKETS = Policy(agent_names=("tutor", "cook"))
ANY_CALLER = Policy(agent_names=("tutor",), attend_rooms=("call-*", "desk"))


@pytest.fixture
def rooms() -> FakeLiveKit:
    """A LiveKit where a second passes before each join."""
    return FakeLiveKit()


def join(rooms: FakeLiveKit, identity: str, order: AgentOrder | None) -> None:
    """Let a human with a ticket for this order join the kitchen, a second from now."""
    rooms.pass_time(seconds=1)
    ticket = Ticket("kitchen", identity, order)
    rooms.join("kitchen", identity, {TICKET_ATTRIBUTE: SEALER.seal(ticket)})


def found(rooms: FakeLiveKit, room_name: str, policy: Policy = ONLY_TICKETS) -> list[Want]:
    """Return the wants in a room; nothing depends on the order in which LiveKit lists."""
    participants = list(rooms.list_participants(room_name))
    wanted = wants(room_name, participants, SEALER, policy)
    assert wanted == wants(room_name, participants[::-1], SEALER, policy)
    return wanted


def test_a_human_with_a_ticket_wants_its_agent(rooms: FakeLiveKit) -> None:
    """Since the join, from which the waiting is counted."""
    join(rooms, "alice", TUTOR)

    assert [Want(order=TUTOR, since=START + timedelta(seconds=1))] == found(rooms, "kitchen")


def test_two_humans_want_one_agent_the_first_one_says_how(rooms: FakeLiveKit) -> None:
    """One agent of a name per room: its metadata can come from one human only."""
    join(rooms, "bob", TUTOR)
    join(rooms, "alice", AgentOrder(agent_name="tutor", metadata="be long"))

    assert [Want(order=TUTOR, since=START + timedelta(seconds=1))] == found(rooms, "kitchen")


def test_two_humans_may_want_two_agents(rooms: FakeLiveKit) -> None:
    """Each is attended on its own."""
    join(rooms, "alice", TUTOR)
    join(rooms, "bob", COOK)

    assert [TUTOR, COOK] == [want.order for want in found(rooms, "kitchen")]


@pytest.mark.parametrize("kind", [ParticipantKind.AGENT, ParticipantKind.OTHER])
def test_only_humans_want_agents(rooms: FakeLiveKit, kind: ParticipantKind) -> None:
    """An agent that wanted agents would keep a room alive for ever."""
    sealed_ticket = SEALER.seal(Ticket("kitchen", "x", TUTOR))
    rooms.join("kitchen", "x", {TICKET_ATTRIBUTE: sealed_ticket}, kind)

    assert [] == found(rooms, "kitchen", Policy(agent_names=("tutor",), attend_rooms=("*",)))


def test_a_human_without_ticket_wants_nothing(rooms: FakeLiveKit) -> None:
    """Rooms of other applications on the same LiveKit are none of our business."""
    rooms.join("call-1", "bob")

    assert [] == found(rooms, "call-1")


@pytest.mark.parametrize("room_name", ["call-1", "call-", "desk"])
def test_anybody_is_attended_where_the_operator_says_so(rooms: FakeLiveKit, room_name: str) -> None:
    """ATTEND_ROOMS: phone callers, tokens minted elsewhere."""
    rooms.join(room_name, "bob")

    assert [Want(order=AgentOrder(agent_name="tutor"), since=START)] == found(
        rooms, room_name, ANY_CALLER
    )


@pytest.mark.parametrize("room_name", ["Call-1", "a-call-1", "desk-2"])
def test_patterns_match_whole_names_and_case(rooms: FakeLiveKit, room_name: str) -> None:
    """Else a customer's room would get an agent by accident."""
    rooms.join(room_name, "bob")

    assert [] == found(rooms, room_name, ANY_CALLER)


def test_a_ticket_counts_before_the_pattern(rooms: FakeLiveKit) -> None:
    """What was asked for is better than the default."""
    join(rooms, "alice", COOK)

    policy = Policy(agent_names=("tutor",), attend_rooms=("*",))
    assert [COOK] == [want.order for want in found(rooms, "kitchen", policy)]


def test_a_released_human_wants_nobody(rooms: FakeLiveKit) -> None:
    """The agent was done with them; a mark for somebody else is none."""
    join(rooms, "alice", TUTOR)
    for identity in ("bob", "alice"):
        mark = release_mark(API_SECRET, "kitchen", identity, "tutor")
        rooms.set_attributes("kitchen", "alice", {release_attribute("tutor"): mark})
        participants = rooms.list_participants("kitchen")
        wishes = Wishes("kitchen", participants, SEALER, ONLY_TICKETS)
        is_released = identity == "alice"
        assert (not is_released, is_released) == (bool(wishes.wanted()), bool(wishes.released()))


def sent(agent_name: str, metadata: str = "", created: float = 0) -> Dispatch:
    """A dispatch that somebody has made, so many seconds after the start."""
    return Dispatch(
        dispatch_id=f"AD_{created}",
        agent_name=agent_name,
        created_at=START + timedelta(seconds=created),
        metadata=metadata,
    )


def test_a_phone_caller_wants_whom_their_rule_has_sent(rooms: FakeLiveKit) -> None:
    """With what the rule has told it: an agent without it knows nothing of the number called."""
    rooms.join("call-7", "sip_123")
    wishes = Wishes("call-7", rooms.list_participants("call-7"), SEALER, ANY_CALLER)
    rule = sent("cook", "tenant 7", created=1)

    wanted = wishes.wanted([sent("", created=0), sent("tutor", created=2), rule])

    assert [AgentOrder(agent_name="cook", metadata="tenant 7")] == [w.order for w in wanted]


def test_whom_a_caller_wants_is_written_down(rooms: FakeLiveKit) -> None:
    """LiveKit may lose the dispatch, and any process may send the next agent."""
    rooms.join("call-7", "sip_123")
    wishes = Wishes("call-7", rooms.list_participants("call-7"), SEALER, ANY_CALLER)
    for identity, attributes in wishes.unwritten([sent("cook", "tenant 7")]).items():
        rooms.set_attributes("call-7", identity, attributes)

    (want,) = found(rooms, "call-7", ANY_CALLER)

    assert AgentOrder(agent_name="cook", metadata="tenant 7") == want.order


def test_the_whole_dispatch_of_a_rule_is_written_down(rooms: FakeLiveKit) -> None:
    """Long metadata, and options: where its workers have a deployment, no others may come."""
    rooms.join("call-7", "sip_123")
    wishes = Wishes("call-7", rooms.list_participants("call-7"), SEALER, ANY_CALLER)
    rule = replace(
        sent("cook", LONG_METADATA), deployment="canary", attributes={"number": "+49 30 1"}
    )
    for identity, attributes in wishes.unwritten([rule]).items():
        rooms.set_attributes("call-7", identity, attributes)

    (want,) = found(rooms, "call-7", ANY_CALLER)

    assert rule.order == want.order


def test_a_caller_without_a_rule_wants_the_agent_who_is_there(rooms: FakeLiveKit) -> None:
    """Somebody's agent has taken the call; ours would be a second one."""
    rooms.join("call-7", "sip_123")
    rooms.join_agent("call-7", "cook")

    assert ["cook"] == [want.order.agent_name for want in found(rooms, "call-7", ANY_CALLER)]


def test_a_rule_of_ours_says_whom_a_room_wants(rooms: FakeLiveKit) -> None:
    """The first that covers it; where none does, the default."""
    rules = (("call-7*", "cook"), ("call-*", "waiter"))
    policy = Policy(agent_names=("tutor",), attend_rooms=("*",), agent_rules=rules)
    for room_name in ("call-77", "call-8", "desk"):
        rooms.join(room_name, "sip_123")

    names = [
        want.order.agent_name
        for room_name in ("call-77", "call-8", "desk")
        for want in found(rooms, room_name, policy)
    ]

    assert ["cook", "waiter", "tutor"] == names


def test_who_asked_for_nobody_wants_nobody_whatever_the_pattern(rooms: FakeLiveKit) -> None:
    """Who takes over a call, or listens; another one's ticket still counts."""
    policy = Policy(agent_names=("tutor",), attend_rooms=("*",))
    join(rooms, "alice", None)

    alone = found(rooms, "kitchen", policy)
    join(rooms, "bob", COOK)

    assert ([], [COOK]) == (alone, [want.order for want in found(rooms, "kitchen", policy)])
