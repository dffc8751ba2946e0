"""The adapter of the port: LiveKit's room and dispatch services, called over Twirp."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus

from google.protobuf.message import Message
from livekit.protocol import agent_dispatch, models
from livekit.protocol import room as room_protocol

from token_server.errors import LiveKitUnavailableError
from token_server.livekit.admin_tokens import Grants
from token_server.livekit.connections import Timeouts
from token_server.livekit.port import (
    AgentOrder,
    Dispatch,
    Participant,
    Room,
    RoomOrder,
    RpcOutcome,
)
from token_server.livekit.protobufs import (
    JOB_RESTART_NEVER,
    to_changed_room,
    to_dispatch,
    to_participant,
    to_room,
    to_room_dispatch,
)
from token_server.livekit.slices import slices
from token_server.livekit.twirp import Method, NotFoundError, Result, Twirp

_CREATE_ROOM = Method("RoomService/CreateRoom", models.Room)
_LIST_ROOMS = Method("RoomService/ListRooms", room_protocol.ListRoomsResponse)
_LIST_PARTICIPANTS = Method("RoomService/ListParticipants", room_protocol.ListParticipantsResponse)
_REMOVE_PARTICIPANT = Method(
    "RoomService/RemoveParticipant", room_protocol.RemoveParticipantResponse
)
_UPDATE_PARTICIPANT = Method("RoomService/UpdateParticipant", models.ParticipantInfo)
_LIST_DISPATCH = Method(
    "AgentDispatchService/ListDispatch", agent_dispatch.ListAgentDispatchResponse
)
_CREATE_DISPATCH = Method(
    "AgentDispatchService/CreateDispatch", agent_dispatch.AgentDispatch, is_repeatable=False
)
_DELETE_DISPATCH = Method("AgentDispatchService/DeleteDispatch", agent_dispatch.AgentDispatch)
# Not sent twice: the second would wait as long as the first.
_PERFORM_RPC = Method(
    "RoomService/PerformRpc", room_protocol.PerformRpcResponse, is_repeatable=False
)
# A participant's answer, in milliseconds; for an acknowledgement alone LiveKit waits 2,000, so it
# has to be less. An answer that took this much longer is LiveKit's own standstill, after which it
# may call everybody silent at once.
_RPC_TIMEOUT = 800
_RPC_SLACK = 0.3
# For calls to participants.
RPC_TIMEOUTS = Timeouts(connect=1.0, answer=1.5)
_RPC_ERRORS = {
    "RpcError 1400": RpcOutcome.UNSUPPORTED,
    "RpcError 1502": RpcOutcome.SILENT,
    "data channel is not available": RpcOutcome.NO_CHANNEL,
}
_RPC_ERROR = re.compile("|".join(_RPC_ERRORS))
# Thousands of rooms read in one go would hold up every request.
_AT_ONCE = 500


class TwirpLiveKit:
    """LiveKit, as the port wants it.

    Args:
        twirp: Its API.
        participants: The same with RPC_TIMEOUTS, for questions to participants.
    """

    def __init__(self, twirp: Twirp, participants: Twirp | None = None) -> None:
        self._twirp, self._participants = twirp, participants or twirp

    def now(self) -> datetime:
        """Return LiveKit's time."""
        return self._twirp.clock.now()

    def create_room(self, order: RoomOrder) -> Room:
        """Make the room, or return the live one: LiveKit ignores the rest (livekit-behaviour 1)."""
        request = room_protocol.CreateRoomRequest(
            name=order.room_name,
            empty_timeout=int(order.empty_timeout.total_seconds()),
            departure_timeout=int(order.departure_timeout.total_seconds()),
            agents=[to_room_dispatch(agent_order) for agent_order in order.agents],
        )
        return to_room(self._twirp.call(_CREATE_ROOM, request, {"roomCreate": True}))

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        """Return the live rooms of these names, or all."""
        request = room_protocol.ListRoomsRequest(names=room_names)
        answer = self._twirp.call(_LIST_ROOMS, request, {"roomList": True})
        return [to_room(room) for some in slices(answer.rooms, _AT_ONCE) for room in some]

    def list_changed_rooms(self, before: Mapping[str, Room]) -> Mapping[str, Room]:
        """Return all live rooms by name, and those that have not changed as they are."""
        request = room_protocol.ListRoomsRequest()
        answer = self._twirp.call(_LIST_ROOMS, request, {"roomList": True})
        return {
            room.name: to_changed_room(room, before.get(room.name))
            for some in slices(answer.rooms, _AT_ONCE)
            for room in some
        }

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        """Return who is in the room and not on the way out.

        A missing room is an empty list (1.13.5) or not_found (livekit-behaviour 4): the same to us.
        """
        request = room_protocol.ListParticipantsRequest(room=room_name)
        try:
            answer = self._twirp.call(_LIST_PARTICIPANTS, request, _admin(room_name))
        except NotFoundError:
            return []
        return [
            to_participant(participant)
            for participant in answer.participants
            if participant.state != models.ParticipantInfo.DISCONNECTED
        ]

    def has_participants(self, room_name: str) -> bool:
        """Whether the list of participants has any bytes: nobody is none of them."""
        request = room_protocol.ListParticipantsRequest(room=room_name)
        try:
            return bool(self._twirp.answer_of(_LIST_PARTICIPANTS, request, _admin(room_name)))
        except NotFoundError:
            return False

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        """Return the dispatches as LiveKit lists them: not the truth (livekit-behaviour 26)."""
        request = agent_dispatch.ListAgentDispatchRequest(room=room_name)
        answer = self._twirp.call(_LIST_DISPATCH, request, _admin(room_name))
        return [to_dispatch(dispatch) for dispatch in answer.agent_dispatches]

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        """Send an agent to the room; LiveKit is not to restart its job (livekit-behaviour 29)."""
        request = agent_dispatch.CreateAgentDispatchRequest(
            room=room_name, **vars(order), restart_policy=JOB_RESTART_NEVER
        )
        return to_dispatch(self._twirp.call(_CREATE_DISPATCH, request, _admin(room_name)))

    def delete_dispatch(self, room_name: str, dispatch_id: str) -> bool:
        """Take a dispatch back; False when it is not there any more (livekit-behaviour 25)."""
        request = agent_dispatch.DeleteAgentDispatchRequest(room=room_name, dispatch_id=dispatch_id)
        return self._was_there(_DELETE_DISPATCH, request, room_name)

    def remove_participant(self, room_name: str, participant_identity: str) -> bool:
        """Put a participant out of the room; False when they are not there."""
        request = room_protocol.RoomParticipantIdentity(
            room=room_name, identity=participant_identity
        )
        return self._was_there(_REMOVE_PARTICIPANT, request, room_name)

    def set_attributes(
        self, room_name: str, participant_identity: str, attributes: Mapping[str, str]
    ) -> bool:
        """Set some of a participant's attributes; those that are not named stay."""
        request = room_protocol.UpdateParticipantRequest(
            room=room_name, identity=participant_identity, attributes=attributes
        )
        return self._was_there(_UPDATE_PARTICIPANT, request, room_name)

    def ask_participant(self, room_name: str, participant_identity: str, method: str) -> RpcOutcome:
        """Call a participant's RPC method (livekit-behaviour 92)."""
        request = room_protocol.PerformRpcRequest(
            room=room_name,
            destination_identity=participant_identity,
            method=method,
            response_timeout_ms=_RPC_TIMEOUT,
        )
        asked_at = time.monotonic()
        try:
            answer = self._participants.ask(_PERFORM_RPC, request, _admin(room_name))
        except LiveKitUnavailableError:
            return RpcOutcome.UNANSWERED
        if answer.status == HTTPStatus.OK:
            return RpcOutcome.ANSWERED
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return RpcOutcome.LIMITED
        outcome = _rpc_error(answer.body)
        was_slow = time.monotonic() - asked_at > _RPC_TIMEOUT / 1000 + _RPC_SLACK
        return RpcOutcome.UNKNOWN if was_slow else outcome

    def _was_there(self, method: Method[Result], request: Message, room_name: str) -> bool:
        try:
            self._twirp.call(method, request, _admin(room_name))
        except NotFoundError:
            return False
        return True


def _admin(room_name: str) -> Grants:
    # LiveKit wants the room's own name in the grant (pkg/service/auth.go 1.13.5,
    # EnsureAdminPermission).
    return {"roomAdmin": True, "room": room_name}


def _rpc_error(body: bytes) -> RpcOutcome:
    """Read the error of a call, of which nothing but its text says what it is."""
    try:
        found = _RPC_ERROR.search(json.loads(body)["msg"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return RpcOutcome.UNKNOWN
    return _RPC_ERRORS[found[0]] if found else RpcOutcome.UNKNOWN
