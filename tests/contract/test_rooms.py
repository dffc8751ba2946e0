"""The same questions to the fake and to a real livekit-server: the fake is worth what this says."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.simulated.client import SimulatedLiveKit
from tests.contract.peers import FakePeer, Peer, RealPeer, SimulatedPeer
from tests.humans import Humans
from tests.long_metadata import LONG_METADATA
from tests.processes import LiveKitServer
from token_server.livekit.port import AgentOrder, ParticipantKind, RoomOrder

ORDER = AgentOrder(agent_name="nobody-has-this-name", metadata="hello")


@pytest.fixture(
    scope="module", params=["fake", "simulated", pytest.param("real", marks=pytest.mark.live)]
)
def peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """A LiveKit, through the port, and a way to send humans into its rooms."""
    if request.param == "fake":
        yield FakePeer()
        return
    if request.param == "simulated":
        with SimulatedLiveKit(tmp_path_factory.mktemp("simulated")) as simulated:
            yield SimulatedPeer(simulated)
        return
    with LiveKitServer(tmp_path_factory.mktemp("livekit")) as server, Humans() as humans:
        yield RealPeer(server, humans)


@pytest.fixture
def room_name() -> str:
    """A name that no room has yet."""
    return f"room-{uuid.uuid4()}"


def order_room(room_name: str, *agents: AgentOrder) -> RoomOrder:
    """Order a room that closes late."""
    return RoomOrder(
        room_name=room_name,
        empty_timeout=timedelta(minutes=1),
        departure_timeout=timedelta(minutes=1),
        agents=agents,
    )


def test_a_room_is_made_once(peer: Peer, room_name: str) -> None:
    """Every token for a room calls create_room: the second must find the first's room."""
    first = peer.rooms.create_room(order_room(room_name))

    second = peer.rooms.create_room(order_room(room_name))

    assert (room_name, first.room_sid) == (second.room_name, second.room_sid)


def test_a_new_room_is_about_as_old_as_the_clock_says(peer: Peer, room_name: str) -> None:
    """All windows are measured on LiveKit's clock, read from its answers."""
    room = peer.rooms.create_room(order_room(room_name))

    assert abs(peer.rooms.now() - room.created_at) < timedelta(seconds=2)


def test_a_room_made_with_an_agent_has_its_dispatch(peer: Peer, room_name: str) -> None:
    """AGENT_DISPATCH=token: the agent is ordered with the room (livekit-behaviour 21)."""
    peer.rooms.create_room(order_room(room_name, ORDER))

    assert [ORDER.agent_name] == [d.agent_name for d in peer.dispatches(room_name, 1)]


@pytest.mark.parametrize("is_with_the_room", [True, False], ids=["CreateRoom", "CreateDispatch"])
def test_a_dispatch_keeps_all_of_its_order(
    peer: Peer, room_name: str, *, is_with_the_room: bool
) -> None:
    """Long metadata too; a server that knows no options (1.11.0) drops them."""
    order = replace(ORDER, metadata=LONG_METADATA, deployment="canary", attributes={"a": "b"})

    peer.rooms.create_room(order_room(room_name, *([order] if is_with_the_room else [])))
    if not is_with_the_room:
        peer.rooms.create_dispatch(room_name, order)

    listed = [d.order for d in peer.dispatches(room_name, 1 + (not is_with_the_room))]
    forgetful = replace(order, deployment="", attributes={})
    assert order in listed or forgetful in listed


def test_a_room_made_without_agents_has_a_nameless_dispatch(peer: Peer, room_name: str) -> None:
    """Unnamed workers are sent to every new room (livekit-behaviour 21)."""
    peer.rooms.create_room(order_room(room_name))

    assert [""] == [d.agent_name for d in peer.dispatches(room_name, 1)]


def test_a_live_room_ignores_the_agents_of_create_room(peer: Peer, room_name: str) -> None:
    """livekit#4390: why there is a keeper. If this fails, read again (livekit-behaviour 1, 11)."""
    peer.rooms.create_room(order_room(room_name))

    peer.rooms.create_room(order_room(room_name, ORDER))

    assert [""] == [d.agent_name for d in peer.dispatches(room_name, 1)]


def test_dispatches_are_never_deduplicated(peer: Peer, room_name: str) -> None:
    """Two calls, two agents (livekit-behaviour 24): why one actor at a time holds a room."""
    peer.rooms.create_room(order_room(room_name))

    created = {peer.rooms.create_dispatch(room_name, ORDER).dispatch_id for _ in range(2)}

    assert created <= {d.dispatch_id for d in peer.dispatches(room_name, 3)}
    assert 2 == len(created)


def test_a_dispatch_is_deleted_once(peer: Peer, room_name: str) -> None:
    """The keeper's compare-and-set (livekit-behaviour 25): False says that somebody else acts."""
    peer.rooms.create_room(order_room(room_name))
    dispatch_id = peer.rooms.create_dispatch(room_name, ORDER).dispatch_id

    answers = [peer.rooms.delete_dispatch(room_name, dispatch_id) for _ in range(2)]

    assert [True, False] == answers


def test_a_dispatch_makes_a_missing_room(peer: Peer, room_name: str) -> None:
    """Acting late makes a room anew (livekit-behaviour 3): the keeper looks again after acting."""
    dispatch = peer.rooms.create_dispatch(room_name, ORDER)

    found = {d.dispatch_id for d in peer.dispatches(room_name, 2)}

    assert dispatch.dispatch_id in found


@pytest.mark.parametrize("is_made", [True, False], ids=["empty", "missing"])
def test_an_empty_and_a_missing_room_have_nobody(
    peer: Peer, room_name: str, *, is_made: bool
) -> None:
    """Only list_rooms tells the two apart (livekit-behaviour 4)."""
    if is_made:
        peer.rooms.create_room(order_room(room_name))

    assert ([], False, is_made) == (
        peer.rooms.list_participants(room_name),
        peer.rooms.has_participants(room_name),
        bool(peer.rooms.list_rooms([room_name])),
    )


def test_a_human_is_listed_with_attributes_and_join_time(peer: Peer, room_name: str) -> None:
    """The ticket travels as an attribute; waiting is counted from the join."""
    peer.rooms.create_room(order_room(room_name))

    peer.join(room_name, "alice", {"token_server.ticket": "sealed"})

    (alice,) = peer.rooms.list_participants(room_name)
    assert peer.rooms.has_participants(room_name)
    assert ("alice", ParticipantKind.HUMAN, "sealed") == (
        alice.participant_identity,
        alice.kind,
        alice.attributes["token_server.ticket"],
    )
    assert abs(peer.rooms.now() - alice.joined_at) < timedelta(seconds=3)


def test_a_second_participant_of_one_identity_puts_out_the_first(
    peer: Peer, room_name: str
) -> None:
    """Why each job's agent has an identity of its own (livekit-behaviour 43)."""
    peer.rooms.create_room(order_room(room_name))

    peer.join(room_name, "alice", {"n": "1"})
    peer.join(room_name, "alice", {"n": "2"})

    assert ["2"] == [p.attributes["n"] for p in peer.rooms.list_participants(room_name)]


def test_a_removed_participant_is_gone(peer: Peer, room_name: str) -> None:
    """How a second agent is put out; False when somebody else was faster."""
    peer.rooms.create_room(order_room(room_name))
    peer.join(room_name, "alice", {})

    answers = [peer.rooms.remove_participant(room_name, "alice") for _ in range(2)]

    assert ([True, False], []) == (answers, peer.rooms.list_participants(room_name))


def test_a_room_is_listed_by_name(peer: Peer, room_name: str) -> None:
    """/readyz and the sweep."""
    room = peer.rooms.create_room(order_room(room_name))

    assert [room.room_sid] == [found.room_sid for found in peer.rooms.list_rooms([room_name])]
    assert room_name in {found.room_name for found in peer.rooms.list_rooms()}


def test_a_room_that_has_not_changed_is_listed_as_it_was(peer: Peer, room_name: str) -> None:
    """A sweep looks soon at what has changed; of thousands of rooms little has in a second."""
    room = peer.rooms.create_room(order_room(room_name))

    first = peer.rooms.list_changed_rooms({})
    again = peer.rooms.list_changed_rooms(first)

    assert (room.room_sid, True) == (
        first[room_name].room_sid,
        first[room_name] is again[room_name],
    )
