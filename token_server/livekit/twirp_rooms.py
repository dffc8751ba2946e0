"""The adapter of the rooms port: LiveKit's room and dispatch services, called over Twirp."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.message import Message
from livekit.protocol import agent_dispatch, models
from livekit.protocol import room as room_protocol

from token_server.livekit.admin_tokens import Grants
from token_server.livekit.protobufs import (
    JOB_RESTART_NEVER,
    to_dispatch,
    to_participant,
    to_room,
    to_room_dispatch,
)
from token_server.livekit.rooms import AgentOrder, Dispatch, Participant, Room, RoomOrder
from token_server.livekit.slices import slices
from token_server.livekit.twirp import Method, NotFoundError, Result, Twirp

_CREATE_ROOM = Method("RoomService/CreateRoom", models.Room)
_LIST_ROOMS = Method("RoomService/ListRooms", room_protocol.ListRoomsResponse)
_LIST_PARTICIPANTS = Method("RoomService/ListParticipants", room_protocol.ListParticipantsResponse)
_REMOVE_PARTICIPANT = Method(
    "RoomService/RemoveParticipant", room_protocol.RemoveParticipantResponse
)
_LIST_DISPATCH = Method(
    "AgentDispatchService/ListDispatch", agent_dispatch.ListAgentDispatchResponse
)
_CREATE_DISPATCH = Method(
    "AgentDispatchService/CreateDispatch", agent_dispatch.AgentDispatch, is_repeatable=False
)
_DELETE_DISPATCH = Method("AgentDispatchService/DeleteDispatch", agent_dispatch.AgentDispatch)
# Thousands of rooms read in one go would hold up every request.
_AT_ONCE = 500


class LiveKitRooms:
    """LiveKit, as the rooms port wants it."""

    def __init__(self, twirp: Twirp) -> None:
        self._twirp = twirp

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

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        """Return the dispatches as LiveKit lists them: not the truth (livekit-behaviour 26)."""
        request = agent_dispatch.ListAgentDispatchRequest(room=room_name)
        answer = self._twirp.call(_LIST_DISPATCH, request, _admin(room_name))
        return [to_dispatch(dispatch) for dispatch in answer.agent_dispatches]

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        """Send an agent to the room; LiveKit is not to restart its job (livekit-behaviour 29)."""
        request = agent_dispatch.CreateAgentDispatchRequest(
            room=room_name,
            agent_name=order.agent_name,
            metadata=order.metadata,
            restart_policy=JOB_RESTART_NEVER,
        )
        return to_dispatch(self._twirp.call(_CREATE_DISPATCH, request, _admin(room_name)))

    def delete_dispatch(self, room_name: str, dispatch_id: str) -> bool:
        """Take a dispatch back; False when it is not there any more (livekit-behaviour 25)."""
        request = agent_dispatch.DeleteAgentDispatchRequest(room=room_name, dispatch_id=dispatch_id)
        return self._ends(_DELETE_DISPATCH, request, room_name)

    def remove_participant(self, room_name: str, participant_identity: str) -> bool:
        """Put a participant out of the room; False when they are not there."""
        request = room_protocol.RoomParticipantIdentity(
            room=room_name, identity=participant_identity
        )
        return self._ends(_REMOVE_PARTICIPANT, request, room_name)

    def _ends(self, method: Method[Result], request: Message, room_name: str) -> bool:
        try:
            self._twirp.call(method, request, _admin(room_name))
        except NotFoundError:
            return False
        return True


def _admin(room_name: str) -> Grants:
    # LiveKit wants the room's own name in the grant (pkg/service/auth.go 1.13.5,
    # EnsureAdminPermission).
    return {"roomAdmin": True, "room": room_name}
