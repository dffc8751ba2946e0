"""The adapter: what goes to LiveKit, with which grants, and how its answers are read."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from livekit.api import ServerErrorCode, TokenVerifier, VideoGrants
from livekit.protocol import agent_dispatch, models
from livekit.protocol.room import (
    CreateRoomRequest,
    ListParticipantsResponse,
    ListRoomsResponse,
    PerformRpcResponse,
    RemoveParticipantResponse,
)

from tests.processes import API_KEY, API_SECRET
from tests.twirp_server import CUT, Canned, TwirpServer, answer, error
from token_server.errors import LiveKitUnavailableError, TokenServerError
from token_server.livekit.port import AgentOrder, RoomOrder, RpcOutcome
from token_server.livekit.protobufs import to_room
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit

TUTOR = AgentOrder(
    agent_name="tutor", metadata="be brief", deployment="canary", attributes={"table": "7"}
)
ORDER = RoomOrder(
    room_name="kitchen",
    empty_timeout=timedelta(minutes=5),
    departure_timeout=timedelta(seconds=20),
    agents=(TUTOR,),
)
ADMIN = VideoGrants(room_admin=True, room="kitchen")
NEVER = agent_dispatch.JobRestartPolicy.JRP_NEVER
Ask = Callable[[TwirpLiveKit], object]


def rooms(server: TwirpServer) -> TwirpLiveKit:
    """Return the adapter in front of this server."""
    return TwirpLiveKit(Twirp(server.url, API_KEY, API_SECRET))


METHODS: dict[str, tuple[Ask, Canned, VideoGrants]] = {
    "CreateRoom": (
        lambda livekit: livekit.create_room(ORDER),
        answer(models.Room()),
        VideoGrants(room_create=True),
    ),
    "ListRooms": (
        lambda livekit: livekit.list_rooms(["kitchen"]),
        answer(ListRoomsResponse()),
        VideoGrants(room_list=True),
    ),
    "ListParticipants": (
        lambda livekit: livekit.list_participants("kitchen"),
        answer(ListParticipantsResponse()),
        ADMIN,
    ),
    "ListDispatch": (
        lambda livekit: livekit.list_dispatches("kitchen"),
        answer(agent_dispatch.ListAgentDispatchResponse()),
        ADMIN,
    ),
    "CreateDispatch": (
        lambda livekit: livekit.create_dispatch("kitchen", TUTOR),
        answer(agent_dispatch.AgentDispatch()),
        ADMIN,
    ),
    "DeleteDispatch": (
        lambda livekit: livekit.delete_dispatch("kitchen", "AD_1"),
        answer(agent_dispatch.AgentDispatch()),
        ADMIN,
    ),
    "RemoveParticipant": (
        lambda livekit: livekit.remove_participant("kitchen", "alice"),
        answer(RemoveParticipantResponse()),
        ADMIN,
    ),
    "UpdateParticipant": (
        lambda livekit: livekit.set_attributes("kitchen", "alice", {"state": "replacing"}),
        answer(models.ParticipantInfo()),
        ADMIN,
    ),
}
# Whose errors are outcomes.
PERFORM_RPC: dict[str, tuple[Ask, Canned, VideoGrants]] = {
    "PerformRpc": (
        lambda livekit: livekit.ask_participant("kitchen", "alice", "x"),
        answer(PerformRpcResponse()),
        ADMIN,
    ),
}


@pytest.mark.parametrize(("method", "row"), (METHODS | PERFORM_RPC).items())
def test_each_call_has_the_least_grants(method: str, row: tuple[Ask, Canned, VideoGrants]) -> None:
    """A token of ours that leaks from a proxy's log opens one room, for minutes."""
    ask, canned, grants = row
    with TwirpServer(canned) as server:
        ask(rooms(server))

    token = server.asked[0].authorization.removeprefix("Bearer ")
    assert (method, grants) == (
        server.asked[0].path.rpartition("/")[2],
        TokenVerifier(API_KEY, API_SECRET).verify(token).video,
    )


@pytest.mark.parametrize("row", METHODS.values(), ids=METHODS.keys())
def test_each_call_says_when_the_answer_is_unknown(row: tuple[Ask, Canned, VideoGrants]) -> None:
    """An error is never an empty list: unknown is no reason to act."""
    with TwirpServer(error("unavailable", 503)) as server, pytest.raises(LiveKitUnavailableError):
        row[0](rooms(server))


CODES = [code for name, code in vars(ServerErrorCode).items() if name.isupper()]
# What else is asked for in a room that is not there is unknown, or was not done
# (livekit-behaviour 4, 5).
NOT_FOUND = {
    "ListParticipants": [],
    "DeleteDispatch": False,
    "RemoveParticipant": False,
    "UpdateParticipant": False,
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(("method", "row"), METHODS.items(), ids=METHODS.keys())
def test_every_code_is_an_error_of_ours_or_means_something(
    method: str, row: tuple[Ask, Canned, VideoGrants], code: str
) -> None:
    """What is no error of ours is a 500, and kills the thread that looks after rooms."""
    with TwirpServer(error(code)) as server:
        livekit = rooms(server)
        if code == ServerErrorCode.NOT_FOUND and method in NOT_FOUND:
            assert NOT_FOUND[method] == row[0](livekit)
        elif code == ServerErrorCode.NOT_FOUND:
            with pytest.raises(LiveKitUnavailableError):
                row[0](livekit)
        else:
            with pytest.raises(TokenServerError):
                row[0](livekit)


@pytest.mark.parametrize("method", ["DeleteDispatch", "RemoveParticipant"])
def test_what_has_gone_already_was_not_ended_by_us(method: str) -> None:
    """DeleteDispatch is the compare-and-set (livekit-behaviour 25)."""
    with TwirpServer(error("not_found", 404), METHODS[method][1]) as server:
        livekit = rooms(server)

        assert [False, True] == [METHODS[method][0](livekit) for _ in range(2)]


def test_nobody_is_in_a_room_that_is_not_there() -> None:
    """A server may say not_found as well (livekit-behaviour 4)."""
    with TwirpServer(error("not_found", 404)) as server:
        assert [] == rooms(server).list_participants("kitchen")


@pytest.mark.parametrize(
    ("canned", "is_anybody"),
    [
        pytest.param(answer(ListParticipantsResponse()), False, id="nobody"),
        pytest.param(answer(ListParticipantsResponse(participants=[{}])), True, id="somebody"),
        pytest.param(error("not_found", 404), False, id="no such room"),
    ],
)
def test_a_peek_says_whether_anybody_is_there(canned: Canned, *, is_anybody: bool) -> None:
    """Most of what is asked of a followed room; nothing of the answer is converted."""
    with TwirpServer(canned) as server:
        assert is_anybody == rooms(server).has_participants("kitchen")


def test_a_page_that_is_empty_is_not_an_empty_room() -> None:
    """A proxy's answer must not end the following of a room."""
    with (
        TwirpServer(Canned(headers={"Content-Type": "text/html"})) as server,
        pytest.raises(LiveKitUnavailableError),
    ):
        rooms(server).has_participants("kitchen")


def test_who_is_on_the_way_out_is_not_there() -> None:
    """An agent that is being disconnected attends nobody."""
    states = models.ParticipantInfo.State.keys()
    listed = [models.ParticipantInfo(identity=state, state=state) for state in states]

    with TwirpServer(answer(ListParticipantsResponse(participants=listed))) as server:
        found = rooms(server).list_participants("kitchen")

    assert set(states) - {"DISCONNECTED"} == {p.participant_identity for p in found}


def test_a_room_is_ordered_with_its_timeouts_and_agents() -> None:
    """Seconds, and no restarts by LiveKit."""
    with TwirpServer(answer(models.Room(name="kitchen", sid="RM_1"))) as server:
        room = rooms(server).create_room(ORDER)

    order = agent_dispatch.RoomAgentDispatch(
        agent_name="tutor",
        metadata="be brief",
        deployment="canary",
        attributes={"table": "7"},
        restart_policy=NEVER,
    )
    expected = CreateRoomRequest(
        name="kitchen", empty_timeout=300, departure_timeout=20, agents=[order]
    )
    assert ("RM_1", expected) == (room.room_sid, CreateRoomRequest.FromString(server.asked[0].body))


def test_an_agent_is_ordered_with_its_metadata() -> None:
    """Both dispatch paths tell the job the same."""
    with TwirpServer(answer(agent_dispatch.AgentDispatch(id="AD_1"))) as server:
        dispatch = rooms(server).create_dispatch("kitchen", TUTOR)

    asked = agent_dispatch.CreateAgentDispatchRequest.FromString(server.asked[0].body)
    expected = agent_dispatch.CreateAgentDispatchRequest(
        room="kitchen",
        agent_name="tutor",
        metadata="be brief",
        deployment="canary",
        attributes={"table": "7"},
        restart_policy=NEVER,
    )
    assert ("AD_1", expected) == (dispatch.dispatch_id, asked)


# Word for word what 1.13.5 says.
NO_CHANNEL = Canned(
    500,
    b'{"code":"internal","msg":"twirp error unknown: data channel is not available"}',
)


def rpc_error(code: str, number: str) -> Canned:
    """Answer with a participant's error as LiveKit passes it on."""
    msg = f"twirp error unknown: RpcError {number}: some words"
    return Canned(400, json.dumps({"code": code, "msg": msg}).encode())


@pytest.mark.parametrize(
    ("canned", "outcome"),
    [
        pytest.param(answer(PerformRpcResponse()), RpcOutcome.ANSWERED, id="answered"),
        pytest.param(rpc_error("invalid_argument", "1400"), RpcOutcome.UNSUPPORTED, id="1400"),
        pytest.param(rpc_error("canceled", "1502"), RpcOutcome.SILENT, id="1502"),
        pytest.param(rpc_error("canceled", "1501"), RpcOutcome.UNKNOWN, id="another number"),
        pytest.param(NO_CHANNEL, RpcOutcome.NO_CHANNEL, id="the data channel is not up"),
        pytest.param(error("internal"), RpcOutcome.UNKNOWN, id="another error"),
        pytest.param(Canned(429, b"slow down"), RpcOutcome.LIMITED, id="too many requests"),
        pytest.param(Canned(401, b"invalid token"), RpcOutcome.UNKNOWN, id="no JSON"),
        pytest.param(Canned(500, b"[]"), RpcOutcome.UNKNOWN, id="other JSON"),
        pytest.param(CUT, RpcOutcome.UNANSWERED, id="no answer"),
    ],
)
def test_what_a_participant_answered_is_read_from_its_error(
    canned: Canned, outcome: RpcOutcome
) -> None:
    """Silence alone is a sign of death; whatever else goes wrong is not known."""
    with TwirpServer(canned) as server:
        assert outcome is rooms(server).ask_participant("kitchen", "agent", "x")


@pytest.mark.parametrize(
    "change",
    [{"sid": "RM_2"}, {"num_participants": 2}, {"num_publishers": 1}],
    ids=["made again", "somebody came", "an agent went"],
)
def test_only_rooms_that_have_changed_are_read_anew(change: dict[str, Any]) -> None:
    """Thousands are listed every second, and a request may wait."""
    kitchen: dict[str, Any] = {
        "name": "kitchen",
        "sid": "RM_1",
        "num_participants": 1,
        "num_publishers": 2,
    }
    hall = models.Room(name="hall", sid="RM_9")
    rooms = [models.Room(**kitchen), models.Room(**(kitchen | change))]
    with TwirpServer(*(answer(ListRoomsResponse(rooms=[hall, room])) for room in rooms)) as server:
        livekit = TwirpLiveKit(Twirp(server.url, API_KEY, API_SECRET))
        before = livekit.list_changed_rooms({})
        after = livekit.list_changed_rooms(before)

    assert before["hall"] is after["hall"]
    assert (to_room(rooms[0]), to_room(rooms[1])) == (before["kitchen"], after["kitchen"])
