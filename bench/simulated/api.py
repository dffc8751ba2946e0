"""LiveKit's API over Twirp, as far as the product uses it: who may call what, and its answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from google.protobuf.message import Message
from livekit.protocol import agent_dispatch
from livekit.protocol import room as room_protocol

from bench.simulated.listing import Listing
from bench.simulated.messages import (
    from_dispatch,
    from_participant,
    from_room,
    to_agent_order,
    to_room_order,
)
from bench.simulated.replies import Refusal, Reply, not_found
from bench.simulated.rooms import SimulatedRooms
from bench.simulated.workers import Workers
from token_server.livekit.port import RpcOutcome

# Seconds that LiveKit looks for the node of a missing room (livekit-behaviour 5), and for a
# participant who is not there: longer than anybody waits (livekit-behaviour 92).
_MISSING_ROOM, _MISSING_PARTICIPANT = 3.0, 10.0
# What a token has to allow.
_CREATE, _LIST, _ADMIN = "roomCreate", "roomList", "roomAdmin"
_UNAVAILABLE = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "no response from servers")
_UNSUPPORTED = Refusal(
    HTTPStatus.BAD_REQUEST,
    "invalid_argument",
    "RpcError 1400: Method not supported at destination",
)
_SILENT = Refusal(HTTPStatus.REQUEST_TIMEOUT, "canceled", "RpcError 1502: Response timeout")


@dataclass(frozen=True)
class ApiMethod:
    """One method.

    Attributes:
        request: What it takes.
        grant: What a token has to allow.
        answer: Answers it.
    """

    request: type[Message]
    grant: str
    answer: Callable[..., Reply]


class Api:
    """Answers from the state.

    Args:
        rooms: The state.
        listing: What ListRooms says of it.
        workers: Know what becomes of a question to an agent.
    """

    def __init__(self, rooms: SimulatedRooms, listing: Listing, workers: Workers) -> None:
        self._rooms, self._listing, self._workers = rooms, listing, workers
        named = {
            **{f"RoomService/{name}": method for name, method in self._of_rooms()},
            **{f"AgentDispatchService/{name}": method for name, method in self._of_dispatches()},
        }
        self.methods = {f"/twirp/livekit.{name}": method for name, method in named.items()}

    def _of_rooms(self) -> Iterator[tuple[str, ApiMethod]]:
        of = room_protocol
        yield "CreateRoom", ApiMethod(of.CreateRoomRequest, _CREATE, self._create_room)
        yield "DeleteRoom", ApiMethod(of.DeleteRoomRequest, _CREATE, self._delete_room)
        yield "ListRooms", ApiMethod(of.ListRoomsRequest, _LIST, self._list_rooms)
        yield "ListParticipants", ApiMethod(of.ListParticipantsRequest, _ADMIN, self._list)
        yield "RemoveParticipant", ApiMethod(of.RoomParticipantIdentity, _ADMIN, self._remove)
        yield "UpdateParticipant", ApiMethod(of.UpdateParticipantRequest, _ADMIN, self._update)
        yield "PerformRpc", ApiMethod(of.PerformRpcRequest, _ADMIN, self._perform_rpc)

    def _of_dispatches(self) -> Iterator[tuple[str, ApiMethod]]:
        create, delete = (
            agent_dispatch.CreateAgentDispatchRequest,
            agent_dispatch.DeleteAgentDispatchRequest,
        )
        yield "CreateDispatch", ApiMethod(create, _ADMIN, self._create_dispatch)
        yield "DeleteDispatch", ApiMethod(delete, _ADMIN, self._delete_dispatch)
        listing = agent_dispatch.ListAgentDispatchRequest
        yield "ListDispatch", ApiMethod(listing, _ADMIN, self._list_dispatch)

    def _create_room(self, request: room_protocol.CreateRoomRequest) -> Reply:
        return Reply(from_room(self._rooms.create_room(to_room_order(request))))

    def _delete_room(self, request: room_protocol.DeleteRoomRequest) -> Reply:
        if request.room not in self._rooms.rooms:
            return not_found("requested room does not exist")
        self._rooms.end_room(request.room)
        return Reply(room_protocol.DeleteRoomResponse())

    def _list_rooms(self, request: room_protocol.ListRoomsRequest) -> Reply:
        return Reply(self._listing.answer(request.names))

    def _list(self, request: room_protocol.ListParticipantsRequest) -> Reply:
        found = self._rooms.list_participants(request.room)
        return Reply(
            room_protocol.ListParticipantsResponse(
                participants=[from_participant(participant) for participant in found]
            )
        )

    def _remove(self, request: room_protocol.RoomParticipantIdentity) -> Reply:
        if not self._rooms.remove_participant(request.room, request.identity):
            return not_found("participant does not exist")
        return Reply(room_protocol.RemoveParticipantResponse())

    def _update(self, request: room_protocol.UpdateParticipantRequest) -> Reply:
        changed = dict(request.attributes)
        if not self._rooms.set_attributes(request.room, request.identity, changed):
            return not_found("participant does not exist")
        found = self._rooms.rooms[request.room].participants[request.identity]
        return Reply(from_participant(found))

    def _perform_rpc(self, request: room_protocol.PerformRpcRequest) -> Reply:
        asked = request.room, request.destination_identity, request.method
        match self._workers.answer(*asked):
            case RpcOutcome.ANSWERED:
                return Reply(room_protocol.PerformRpcResponse())
            case RpcOutcome.UNSUPPORTED:
                return Reply(_UNSUPPORTED)
            case RpcOutcome.SILENT:
                return Reply(_SILENT, after=request.response_timeout_ms / 1e3)
            case _:
                return Reply(_UNAVAILABLE, after=_MISSING_PARTICIPANT)

    def _create_dispatch(self, request: agent_dispatch.CreateAgentDispatchRequest) -> Reply:
        dispatch = self._rooms.create_dispatch(request.room, to_agent_order(request))
        return Reply(from_dispatch(dispatch, request.room))

    def _list_dispatch(self, request: agent_dispatch.ListAgentDispatchRequest) -> Reply:
        if request.room not in self._rooms.rooms:
            return Reply(_UNAVAILABLE, after=_MISSING_ROOM)
        found = self._rooms.list_dispatches(request.room)
        return Reply(
            agent_dispatch.ListAgentDispatchResponse(
                agent_dispatches=[from_dispatch(dispatch, request.room) for dispatch in found]
            )
        )

    def _delete_dispatch(self, request: agent_dispatch.DeleteAgentDispatchRequest) -> Reply:
        if not self._rooms.delete_dispatch(request.room, request.dispatch_id):
            return not_found("dispatch does not exist")
        return Reply(agent_dispatch.AgentDispatch(id=request.dispatch_id, room=request.room))
