"""The rooms of the simulated LiveKit: the fake's, on the real clock, with what time does to them.

What the fake knows the contract suite has confirmed; here rooms also end (livekit-behaviour 2), and
whoever wants to know is told of each change.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from tests.fakes import FakeLiveKit, FakeRoom
from token_server.livekit.port import (
    AgentOrder,
    Dispatch,
    Participant,
    ParticipantKind,
    Room,
    RoomOrder,
)

# Calls something after so many seconds.
Later = Callable[[float, Callable[[], None]], object]
# Seconds (livekit-behaviour 2): LiveKit's own, for rooms that nobody ordered.
_EMPTY_TIMEOUT, _DEPARTURE_TIMEOUT = 300.0, 20.0
# Seconds until a job whose dispatch was deleted has left (livekit-behaviour 25).
_JOB_ENDS_AFTER = 3.0


class RoomWatcher:
    """Is told what happens in rooms; by itself it does nothing."""

    def room_began(self, room: Room) -> None:
        """Know of a new room."""

    def room_ended(self, room: Room) -> None:
        """Know that a room is no more, and nobody in it."""

    def changed(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        """Know that somebody has come or gone."""

    def dispatched(self, room_name: str, dispatch: Dispatch) -> None:
        """Know that an agent was sent for."""


class SimulatedRooms(FakeLiveKit):
    """LiveKit's state.

    Args:
        later: Calls something after so many seconds.
    """

    def __init__(self, later: Later) -> None:
        super().__init__()
        self._later = later
        self._timeouts: dict[str, float] = {}  # by room's sid, where one was ordered
        self._ending: dict[str, object] = {}  # by sid: which of several endings counts
        self.watchers: list[RoomWatcher] = []

    def now(self) -> datetime:
        """Return the real time."""
        return datetime.now(UTC)

    def humans(self, room_name: str) -> list[Participant]:
        """Return those who keep a room open."""
        return self._of_kind(room_name, ParticipantKind.HUMAN)

    def agents(self, room_name: str) -> list[Participant]:
        """Return the agents that are listed."""
        return self._of_kind(room_name, ParticipantKind.AGENT)

    def create_room(self, order: RoomOrder) -> Room:
        """Make a room, which ends when its order says."""
        is_new = order.room_name not in self.rooms
        room = super().create_room(order)
        if is_new:
            self._timeouts[room.room_sid] = order.departure_timeout.total_seconds()
            self._end_later(room, order.empty_timeout.total_seconds())
        return room

    def join(
        self,
        room_name: str,
        participant_identity: str,
        attributes: dict[str, str] | None = None,
        kind: ParticipantKind = ParticipantKind.HUMAN,
        *,
        is_phone: bool = False,
    ) -> Participant:
        """Let somebody join; an older one of that identity is seen to go."""
        if room_name in self.rooms:
            self.remove_participant(room_name, participant_identity)
        came = super().join(room_name, participant_identity, attributes, kind, is_phone=is_phone)
        if kind is ParticipantKind.HUMAN:
            self._ending.pop(self.rooms[room_name].room.room_sid, None)
        self._tell(room_name, came, is_here=True)
        return came

    def leave(self, room_name: str, participant_identity: str) -> None:
        """Let somebody leave, if they are there."""
        self.remove_participant(room_name, participant_identity)

    def remove_participant(self, room_name: str, participant_identity: str) -> bool:
        """Put somebody out, if they are there."""
        found = self.rooms.get(room_name)
        gone = found.participants.get(participant_identity) if found else None
        if found and gone and super().remove_participant(room_name, participant_identity):
            self._tell(room_name, gone, is_here=False)
            if gone.kind is ParticipantKind.HUMAN and not self.humans(room_name):
                sid = found.room.room_sid
                self._end_later(found.room, self._timeouts.get(sid, _DEPARTURE_TIMEOUT))
        return gone is not None

    def delete_dispatch(self, room_name: str, dispatch_id: str) -> bool:
        """Take a dispatch back; its agent goes some time later."""
        was_there = super().delete_dispatch(room_name, dispatch_id)
        if was_there:
            self._later(_JOB_ENDS_AFTER, lambda: self._end_job(room_name, dispatch_id))
        return was_there

    def end_room(self, room_name: str) -> None:
        """End a room with all that is in it."""
        found = self.rooms[room_name]
        for participant in list(found.participants.values()):
            del found.participants[participant.participant_identity]
            self._tell(room_name, participant, is_here=False)
        super().end_room(room_name)
        self._timeouts.pop(found.room.room_sid, None)
        self._ending.pop(found.room.room_sid, None)
        for watcher in self.watchers:
            watcher.room_ended(found.room)

    def _live_room(self, room_name: str, agents: Sequence[AgentOrder]) -> FakeRoom:
        is_new = room_name not in self.rooms
        found = super()._live_room(room_name, agents)
        if is_new:
            self._end_later(found.room, _EMPTY_TIMEOUT)
            for watcher in self.watchers:
                watcher.room_began(found.room)
        return found

    def _add_dispatch(self, found: FakeRoom, order: AgentOrder) -> Dispatch:
        dispatch = super()._add_dispatch(found, order)
        for watcher in self.watchers:
            watcher.dispatched(found.room.room_name, dispatch)
        return dispatch

    def _call(self, name: str) -> None:
        """Remember nothing: told.py counts what comes over HTTP."""

    def _of_kind(self, room_name: str, kind: ParticipantKind) -> list[Participant]:
        found = self.rooms.get(room_name)
        return [p for p in found.participants.values() if p.kind is kind] if found else []

    def _tell(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        for watcher in self.watchers:
            watcher.changed(room_name, participant, is_here=is_here)

    def _end_job(self, room_name: str, dispatch_id: str) -> None:
        for agent in self.agents(room_name):
            if agent.attributes.get(DISPATCH_ATTRIBUTE) == dispatch_id:
                self.leave(room_name, agent.participant_identity)

    def _end_later(self, room: Room, seconds: float) -> None:
        self._ending[room.room_sid] = this = object()
        self._later(seconds, lambda: self._end_if_unused(room, this))

    def _end_if_unused(self, room: Room, this: object) -> None:
        if self._ending.get(room.room_sid) is this:
            self.end_room(room.room_name)
