import asyncio
import json
import socket
from http import HTTPStatus

import pytest
from livekit import api
from livekit.protocol.agent import Job
from livekit.protocol.agent_dispatch import (
    AgentDispatch,
    AgentDispatchState,
    ListAgentDispatchResponse,
)
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import (
    PerformRpcRequest,
    PerformRpcResponse,
    RemoveParticipantResponse,
    UpdateParticipantRequest,
)

from agent.twirp_room import TwirpRoom
from tests.environ import settings
from tests.processes import API_KEY, API_SECRET
from tests.twirp_server import CUT, Canned, TwirpServer, answer

LIVES = answer(PerformRpcResponse(payload="{}"))


def refusal(status: int, code: str, msg: str) -> Canned:
    """Return an error as LiveKit writes it."""
    body = json.dumps({"code": code, "msg": msg}).encode()
    return Canned(status, body, {"Content-Type": "application/json"})


UNKNOWN_METHOD = refusal(
    400, "invalid_argument", "RpcError 1400: Method not supported at destination"
)
NO_ANSWER = refusal(408, "canceled", "RpcError 1502: Response timeout")
COMING_UP = refusal(500, "internal", "data channel is not up")


def room_of(server: TwirpServer) -> TwirpRoom:
    """Return the lobby of a LiveKit."""
    return TwirpRoom(settings(LIVEKIT_URL=server.url), "lobby", try_again=0.0)


@pytest.mark.parametrize(
    ("answers", "lives"),
    [
        ((LIVES,), True),
        ((UNKNOWN_METHOD,), True),
        ((NO_ANSWER,), False),
        ((COMING_UP, LIVES), True),
        ((*[COMING_UP] * 6, LIVES), True),
        ((COMING_UP,), False),
        ((refusal(400, "invalid_argument", "RpcError 1500: Application error"),), False),
        ((refusal(401, "unauthenticated", "no"),), False),
        ((CUT,), False),
    ],
    ids=[
        "answers",
        "of somebody else's making",
        "silent",
        "just coming",
        "just coming, on a busy machine",
        "never comes up",
        "another refusal",
        "we may not ask",
        "LiveKit goes away",
    ],
)
def test_an_agent_lives_if_its_process_answers(answers: tuple[Canned, ...], *, lives: bool) -> None:
    """LiveKit lists the dead as well; who only seems to live keeps a living agent out."""
    with TwirpServer(*answers) as server:
        assert lives == asyncio.run(room_of(server).lives("agent-1"))


def test_the_question_is_put_as_livekit_wants_it() -> None:
    """With the right to administrate this one room, for longer than nobody waits."""
    with TwirpServer(LIVES) as server:
        asyncio.run(room_of(server).lives("agent-1"))
        (asked,) = server.asked
    request = PerformRpcRequest.FromString(asked.body)
    claims = api.TokenVerifier(API_KEY, API_SECRET).verify(asked.authorization.split()[1])

    assert "/twirp/livekit.RoomService/PerformRpc" == asked.path
    assert ("lobby", "agent-1", "token-server.alive", 800) == (
        request.room,
        request.destination_identity,
        request.method,
        request.response_timeout_ms,
    )
    assert claims.video
    assert (True, "lobby") == (claims.video.room_admin, claims.video.room)


def test_a_livekit_that_is_not_there_says_nothing_of_life() -> None:
    """No answer is no life that would keep an agent out."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{closed.getsockname()[1]}"

        assert not asyncio.run(TwirpRoom(settings(LIVEKIT_URL=url), "lobby").lives("agent-1"))


@pytest.mark.parametrize(
    "canned",
    [answer(RemoveParticipantResponse()), refusal(404, "not_found", "no such participant")],
    ids=["put out", "not there"],
)
def test_putting_out_is_done_when_nobody_is_there(canned: Canned) -> None:
    """LiveKit, or the keeper, may have been faster."""
    with TwirpServer(canned) as server:
        asyncio.run(room_of(server).put_out("agent-1"))

        assert ["/twirp/livekit.RoomService/RemoveParticipant"] == [a.path for a in server.asked]


def test_a_refusal_to_put_out_is_told() -> None:
    """The worker's log says why a dead agent stays."""
    with TwirpServer(refusal(401, "unauthenticated", "no")) as server:
        with pytest.raises(api.TwirpError) as raised:
            asyncio.run(room_of(server).put_out("agent-1"))

        assert HTTPStatus.UNAUTHORIZED == raised.value.status


def test_a_dispatch_is_known_by_its_id() -> None:
    """The dispatch of an agent that was put out is gone."""
    listed = AgentDispatch(id="AD_1", state=AgentDispatchState(jobs=[Job(id="AJ_1")]))
    with TwirpServer(answer(ListAgentDispatchResponse(agent_dispatches=[listed]))) as server:
        room = room_of(server)

        known = [asyncio.run(room.has_dispatch(dispatch)) for dispatch in ("AD_1", "AD_2")]

    assert [True, False] == known


@pytest.mark.parametrize(
    "canned",
    [answer(ParticipantInfo()), refusal(404, "not_found", "no such participant")],
    ids=["there", "not there"],
)
def test_attributes_are_set_beside_those_that_are_there(canned: Canned) -> None:
    """LiveKit merges them; name, metadata and permissions that are not sent stay as they are."""
    with TwirpServer(canned) as server:
        asyncio.run(room_of(server).set_attributes("alice", {"a": "b"}))
        (asked,) = server.asked

    assert "/twirp/livekit.RoomService/UpdateParticipant" == asked.path
    wanted = UpdateParticipantRequest(room="lobby", identity="alice", attributes={"a": "b"})
    assert wanted == UpdateParticipantRequest.FromString(asked.body)


def test_a_refusal_to_set_attributes_is_told() -> None:
    """Whoever thinks that somebody is released would leave them to the next agent."""
    with TwirpServer(refusal(401, "unauthenticated", "no")) as server:
        with pytest.raises(api.TwirpError) as raised:
            asyncio.run(room_of(server).set_attributes("alice", {"a": "b"}))

        assert HTTPStatus.UNAUTHORIZED == raised.value.status
