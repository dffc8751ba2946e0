"""A LiveKit in memory, behind the port; the contract suite says how far it is true.

bench/simulated puts it on the real clock and behind HTTP.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from token_server.errors import LiveKitBusyError, LiveKitUnavailableError
from token_server.livekit.port import (
    AGENT_NAME_ATTRIBUTE,
    AgentOrder,
    Dispatch,
    Job,
    JobStatus,
    Participant,
    ParticipantKind,
    Room,
    RoomOrder,
    RpcOutcome,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakeRoom:
    """One room's content."""

    room: Room
    participants: dict[str, Participant] = field(default_factory=dict)
    dispatches: dict[str, Dispatch] = field(default_factory=dict)


class FakeLiveKit:
    """LiveKit as docs/livekit-behaviour.md has it, without workers: tests say what those do.

    `calls` has the name of every call in order; `is_down` makes all of them fail, `busy_with` those
    of these names, as too many.
    """

    def __init__(self) -> None:
        self.rooms: dict[str, FakeRoom] = {}
        self.calls: list[str] = []
        self.created: list[tuple[str, AgentOrder]] = []
        self.rpc_outcomes: dict[tuple[str, str], RpcOutcome] = {}
        self.unremovable: set[str] = set()
        self.is_down = False
        self.busy_with: set[str] = set()
        self._now = START
        self._numbers = itertools.count(1)

    def pass_time(self, **duration: float) -> None:
        """Let time pass: `seconds=…`, as timedelta takes it."""
        self._now += timedelta(**duration)

    def now(self) -> datetime:
        return self._now

    def create_room(self, order: RoomOrder) -> Room:
        self._call("create_room")
        return self._live_room(order.room_name, order.agents or (AgentOrder(agent_name=""),)).room

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        self._call("list_rooms")
        return [
            replace(found.room, num_participants=len(found.participants))
            for name, found in self.rooms.items()
            if not room_names or name in room_names
        ]

    def list_changed_rooms(self, before: Mapping[str, Room]) -> Mapping[str, Room]:
        rooms = {room.room_name: room for room in self.list_rooms()}
        return rooms | {name: old for name, old in before.items() if rooms.get(name) == old}

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        self._call("list_participants")
        found = self.rooms.get(room_name)
        return list(found.participants.values()) if found else []

    def has_participants(self, room_name: str) -> bool:
        self._call("has_participants")
        found = self.rooms.get(room_name)
        return bool(found and found.participants)

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        self._call("list_dispatches")
        if room_name not in self.rooms:
            raise LiveKitUnavailableError("no such room, after 3 s")
        return list(self.rooms[room_name].dispatches.values())

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        self._call("create_dispatch")
        found = self._live_room(room_name, (AgentOrder(agent_name=""),))
        self.created.append((room_name, order))
        return self._add_dispatch(found, order)

    def delete_dispatch(self, room_name: str, dispatch_id: str) -> bool:
        self._call("delete_dispatch")
        found = self.rooms.get(room_name)
        return bool(found and found.dispatches.pop(dispatch_id, None))

    def remove_participant(self, room_name: str, participant_identity: str) -> bool:
        self._call("remove_participant")
        if participant_identity in self.unremovable:
            raise LiveKitUnavailableError("nobody answers for them")
        found = self.rooms.get(room_name)
        return bool(found and found.participants.pop(participant_identity, None))

    def set_attributes(
        self, room_name: str, participant_identity: str, attributes: Mapping[str, str]
    ) -> bool:
        self._call("set_attributes")
        found = self.rooms.get(room_name)
        participant = found.participants.get(participant_identity) if found else None
        if found and participant:
            changed = {**participant.attributes, **attributes}
            kept = {name: value for name, value in changed.items() if value}
            found.participants[participant_identity] = replace(participant, attributes=kept)
        return participant is not None

    def ask_participant(self, room_name: str, participant_identity: str, method: str) -> RpcOutcome:
        self._call("ask_participant")
        found = self.rooms.get(room_name)
        if not found or participant_identity not in found.participants:
            return RpcOutcome.UNANSWERED
        return self.rpc_outcomes.get((participant_identity, method), RpcOutcome.UNSUPPORTED)

    def join(
        self,
        room_name: str,
        participant_identity: str,
        attributes: dict[str, str] | None = None,
        kind: ParticipantKind = ParticipantKind.HUMAN,
        *,
        is_phone: bool = False,
    ) -> Participant:
        """Let somebody join, making the room if need be; an older one of that identity goes."""
        participant = Participant(
            participant_identity=participant_identity,
            participant_sid=f"PA_{next(self._numbers)}",
            kind=kind,
            joined_at=self.now(),
            attributes=attributes or {},
            is_phone=is_phone,
        )
        found = self._live_room(room_name, (AgentOrder(agent_name=""),))
        found.participants[participant_identity] = participant
        return participant

    def join_agent(self, room_name: str, agent_name: str, identity: str = "") -> Participant:
        """Let an agent of this name join."""
        attributes = {AGENT_NAME_ATTRIBUTE: agent_name}
        return self.join(
            room_name, identity or f"agent-{agent_name}", attributes, ParticipantKind.AGENT
        )

    def publish_audio(self, room_name: str, participant_identity: str) -> None:
        """Let somebody be heard."""
        found = self.rooms[room_name].participants
        found[participant_identity] = replace(found[participant_identity], has_audio=True)

    def leave(self, room_name: str, participant_identity: str) -> None:
        """Let somebody leave."""
        del self.rooms[room_name].participants[participant_identity]

    def end_room(self, room_name: str) -> None:
        """Let a room end with all that is in it."""
        del self.rooms[room_name]

    def take_job(self, room_name: str, status: JobStatus = JobStatus.RUNNING) -> None:
        """Let a worker take the job of each dispatch that has none yet."""
        found = self.rooms[room_name]
        for dispatch in list(found.dispatches.values()):
            if not dispatch.jobs:
                job = Job(job_id=f"AJ_{next(self._numbers)}", status=status, started_at=self.now())
                found.dispatches[dispatch.dispatch_id] = replace(dispatch, jobs=(job,))

    def _live_room(self, room_name: str, agents: Sequence[AgentOrder]) -> FakeRoom:
        if room_name not in self.rooms:
            room = Room(
                room_name=room_name,
                room_sid=f"RM_{next(self._numbers)}",
                created_at=self.now(),
            )
            self.rooms[room_name] = FakeRoom(room)
            for order in agents:
                self._add_dispatch(self.rooms[room_name], order)
        return self.rooms[room_name]

    def _add_dispatch(self, found: FakeRoom, order: AgentOrder) -> Dispatch:
        dispatch = Dispatch(
            dispatch_id=f"AD_{next(self._numbers)}",
            agent_name=order.agent_name,
            created_at=self.now(),
            metadata=order.metadata,
            deployment=order.deployment,
            attributes=order.attributes,
        )
        found.dispatches[dispatch.dispatch_id] = dispatch
        return dispatch

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.is_down:
            raise LiveKitUnavailableError("LiveKit did not answer")
        if name in self.busy_with:
            raise LiveKitBusyError("LiveKit has had too many requests")
