"""LiveKit's rooms: who is in them, when they end (livekit-behaviour 1, 2, 3)."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Protocol

from tests.model.clock import Clock
from token_server.livekit.port import (
    AGENT_NAME_ATTRIBUTE,
    AgentOrder,
    Dispatch,
    Participant,
    ParticipantKind,
    Room,
)

# Seconds (livekit-behaviour 2). LiveKit's default for rooms that CreateDispatch makes is 300.
EMPTY_TIMEOUT = 300.0
DEPARTURE_TIMEOUT = 20.0
# ListRooms' num_participants is brought up to date this often (livekit-behaviour 6).
COUNTED_EVERY = 5.0


class Changed(Protocol):
    """Is told of whoever came to a room, or left it."""

    def __call__(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        """Be told."""


@dataclass
class LiveRoom:
    """One live room, as it truly is."""

    room: Room
    participants: dict[str, Participant] = field(default_factory=dict)
    dispatches: dict[str, Dispatch] = field(default_factory=dict)
    counted: int = 0
    publishing: int = 0
    last_human_left_at: float | None = None
    made_by_dispatch: str = ""  # its id
    # Who was there before the last change, and when that was.
    before: tuple[Participant, ...] = ()
    changed_at: float = 0.0

    def humans(self) -> list[Participant]:
        """Those who keep the room open; only they are counted (updateProto, 1.13.5)."""
        return [p for p in self.participants.values() if p.kind is ParticipantKind.HUMAN]

    def changes(self, now: float) -> None:
        """Keep who is there, since that is about to change."""
        self.before, self.changed_at = tuple(self.participants.values()), now

    def agents(self, agent_name: str) -> list[Participant]:
        """The agents of a name."""
        everybody = self.participants.values()
        return [
            p for p in everybody if p.kind is ParticipantKind.AGENT and p.agent_name == agent_name
        ]


class World:
    """Rooms that open, fill, empty and end by themselves."""

    def __init__(self, clock: Clock, chance: Random) -> None:
        self.clock, self.chance = clock, chance
        self.rooms: dict[str, LiveRoom] = {}
        self.agents_joined = 0
        # Rooms that CreateDispatch made anew, by sid, until the look that did so has ended well:
        # where it never does (a crash, an error of that very call), an agent may sit alone until
        # the room's empty_timeout. That is known, and all that is not promised.
        self.unguarded: set[str] = set()
        # Whether dispatches may stand that no look that ended well has seen to: a token server has
        # died, two have acted at once, or others have sent agents.
        self.is_disturbed = False
        # By room: the last agent that was alone of its name there and left by itself, and when; and
        # the same where it has deleted its room then (livekit-behaviour 96).
        self.left_alone: dict[str, tuple[Participant, float]] = {}
        self.hung_up: dict[str, tuple[Participant, float]] = {}
        # Rooms, by sid, to which a token server has sent an agent; and the dispatches of others.
        self.sent_to: set[str] = set()
        self.foreign: set[str] = set()
        # What may have cost the keeper a count of its agents' failures.
        self.excuses = 0
        self.on_changed: list[Changed] = []
        self.on_dispatched: list[Callable[[str, Dispatch], None]] = []
        self.on_last_human_left: list[Callable[[str], None]] = []
        self._numbers = itertools.count(1)

    def new_id(self, kind: str) -> str:
        """Return an id that nothing else has."""
        return f"{kind}_{next(self._numbers)}"

    def live_room(self, room_name: str, agents: Iterable[AgentOrder] = ()) -> LiveRoom:
        """Find a room or make it; only a new one takes the agents (livekit-behaviour 1, 21)."""
        if room_name not in self.rooms:
            now = self.clock.at(self.clock.now)
            room = Room(room_name=room_name, room_sid=self.new_id("RM"), created_at=now)
            self.rooms[room_name] = LiveRoom(room)
            self.left_alone.pop(room_name, None)
            self.hung_up.pop(room_name, None)
            self.clock.tell(f"{room_name} opens")
            self.clock.after(self.chance.uniform(0, COUNTED_EVERY), lambda: self._count(room))
            self.clock.after(EMPTY_TIMEOUT, lambda: self._end_if_unused(room))
            self.is_disturbed |= bool(tuple(agents))
            for order in tuple(agents) or (AgentOrder(agent_name=""),):
                self.dispatch(room_name, order)
        return self.rooms[room_name]

    def dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        """Send an agent; makes a missing room, never deduplicates (livekit-behaviour 3, 24)."""
        is_missing = room_name not in self.rooms
        found = self.live_room(room_name)
        dispatch = Dispatch(
            dispatch_id=self.new_id("AD"),
            agent_name=order.agent_name,
            created_at=self.clock.at(self.clock.now),
        )
        found.dispatches[dispatch.dispatch_id] = dispatch
        if is_missing:
            found.made_by_dispatch = dispatch.dispatch_id
            self.unguarded.add(found.room.room_sid)
        for tell in self.on_dispatched:
            tell(room_name, dispatch)
        return dispatch

    def join(self, room_name: str, identity: str, attributes: dict[str, str]) -> Participant:
        """Let somebody into a live room; an older one of that identity goes first."""
        is_agent = AGENT_NAME_ATTRIBUTE in attributes
        participant = Participant(
            participant_identity=identity,
            participant_sid=self.new_id("PA"),
            kind=ParticipantKind.AGENT if is_agent else ParticipantKind.HUMAN,
            joined_at=self.clock.at(self.clock.now),
            attributes=attributes,
        )
        if older := self.rooms[room_name].participants.get(identity):
            self.leave(room_name, older)
        self.agents_joined += is_agent
        if is_agent:
            self.left_alone.pop(room_name, None)
        self.rooms[room_name].changes(self.clock.now)
        self.rooms[room_name].participants[identity] = participant
        self.clock.tell(f"{room_name} + {identity} {participant.participant_sid}")
        self._announce(room_name, participant, is_here=True)
        return participant

    def leave(self, room_name: str, participant: Participant, *, by_itself: bool = False) -> bool:
        """Let somebody leave, if it is still they who are there; by itself, or it is put out."""
        found = self.rooms.get(room_name)
        identity = participant.participant_identity
        if not found or found.participants.get(identity) is not participant:
            return False
        found.changes(self.clock.now)
        del found.participants[identity]
        self.clock.tell(f"{room_name} - {identity} {participant.participant_sid}")
        if participant.kind is ParticipantKind.HUMAN and not found.humans():
            found.last_human_left_at = self.clock.now
            self.clock.after(DEPARTURE_TIMEOUT, lambda: self._end_if_unused(found.room))
            for tell in self.on_last_human_left:
                tell(room_name)
        gone = replace(participant, has_left_by_itself=by_itself)
        self._announce(room_name, gone, is_here=False)
        return True

    def tell(self, room_name: str, identity: str, attributes: Mapping[str, str]) -> bool:
        """Set some attributes of whoever has that identity, "" takes one away; a join has none."""
        found = self.rooms.get(room_name)
        there = found.participants.get(identity) if found else None
        if found and there:
            kept = {k: v for k, v in {**there.attributes, **attributes}.items() if v}
            found.changes(self.clock.now)
            found.participants[identity] = replace(there, attributes=kept)
        return there is not None

    def end(self, room_name: str) -> None:
        """End a room with all that is in it."""
        if self.rooms.pop(room_name, None):
            self.clock.tell(f"{room_name} ends")

    def is_live(self, room: Room) -> bool:
        """Whether it is still this very room."""
        found = self.rooms.get(room.room_name)
        return bool(found and found.room is room)

    def _announce(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        for tell in self.on_changed:
            tell(room_name, participant, is_here=is_here)

    def _count(self, room: Room) -> None:
        if self.is_live(room):
            found = self.rooms[room.room_name]
            found.counted = len(found.humans())
            found.publishing = len(found.participants)
            self.clock.after(COUNTED_EVERY, lambda: self._count(room))

    def _end_if_unused(self, room: Room) -> None:
        found = self.rooms.get(room.room_name)
        if not found or found.room is not room or found.humans():
            return
        left_at = found.last_human_left_at
        if left_at is None or self.clock.now - left_at >= DEPARTURE_TIMEOUT - 0.001:
            self.end(room.room_name)
