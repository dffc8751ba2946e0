"""The port of one token server: the world, seen through calls that are slow, fail or lie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from tests.model.actors import pause
from tests.model.look import Look
from tests.model.network import Fault, Lie, Network
from tests.model.promises import Promises
from tests.model.vitality import Vitality
from tests.model.workers import Workers
from tests.model.world import LiveRoom, World
from token_server.errors import LiveKitUnavailableError
from token_server.livekit.port import (
    AgentOrder,
    Dispatch,
    Participant,
    ParticipantKind,
    Room,
    RoomOrder,
    RpcOutcome,
)

Answer = TypeVar("Answer")

# Seconds until we give up on an answer.
_TIME_OUT = 3.0
# Seconds that an answer may lag behind.
_OLDEST = 2.0
# Seconds of a question to an agent: answered, given up by LiveKit, given up by us.
_ANSWERS_IN, _SILENT_AFTER, _UNANSWERED_AFTER = 0.003, 0.8, 1.5


class Port:
    """Implements the port; every call lets other actors go on, before and after it is done.

    Each call is held against the promises with what the look's own answers have shown.
    """

    def __init__(self, world: World, workers: Workers, network: Network, name: str) -> None:
        self._world, self._workers, self._network, self.name = world, workers, network, name
        self._promises = Promises(world, workers)
        self.on_death: Callable[[], None] = lambda: None
        self.restart()

    def restart(self) -> None:
        """Forget what this process knew."""
        self.calls_to_live = float("inf")
        self._looks: dict[str, Look] = {}

    def for_questions(self) -> "Port":
        """Return the port that the questions for life go through: none of them is a look."""
        return Port(self._world, self._workers, self._network, self.name)

    def begin_look(self, room_name: str) -> None:
        """Know nothing of the room but what was there, and what a look that failed has made."""
        self._looks[room_name] = self._looks.get(room_name, Look(room_name)).next()

    def end_look(self, room_name: str, again_in: float | None, *, held: bool) -> None:
        """Hold the end of a look that met no error against the promises."""
        self._promises.ends(self._looks[room_name], again_in, held=held)
        if not self._looks[room_name].is_unasked:
            self._looks[room_name].end(self._world.unguarded)

    def told(self, room_name: str, agent: Participant, *, is_here: bool) -> None:
        """Know what a webhook has told this process of an agent."""
        look = self._looks.setdefault(room_name, Look(room_name))
        look.told(agent, self._world.clock.now, is_here=is_here)

    def excuse(self) -> None:
        """Have the process die: what it was about to count is not counted."""
        self._world.excuses += 1

    def now(self) -> datetime:
        return self._world.clock.at(self._world.clock.now)

    def create_room(self, order: RoomOrder) -> Room:
        raise NotImplementedError

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        def rooms() -> list[Room]:
            return [
                replace(found.room, num_participants=found.counted, num_publishers=found.publishing)
                for name, found in self._world.rooms.items()
                if not room_names or name in room_names
            ]

        found = self._call("*", "list_rooms", rooms)
        for room_name in set(room_names) - {room.room_name for room in found}:
            self._looks[room_name].saw_no_room()
        return found

    def list_changed_rooms(self, before: Mapping[str, Room]) -> Mapping[str, Room]:
        rooms = {room.room_name: room for room in self.list_rooms()}
        return rooms | {name: old for name, old in before.items() if rooms.get(name) == old}

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        look = self._looks.setdefault(room_name, Look(room_name))
        look.participants = look.dispatches = None
        look.asked_at = self._world.clock.now

        def participants() -> list[Participant]:
            found = self._world.rooms.get(room_name)
            look.listed_at = self._world.clock.now
            return self._shuffled(self._listed(found)) if found else []

        found = self._call(room_name, "list_participants", participants)
        look.saw(found, self._world.clock.now)
        return found

    def _listed(self, found: LiveRoom) -> list[Participant]:
        """Return who is there; or a lie, if one is due."""
        there, now = list(found.participants.values()), self._world.clock.now
        lie = self._network.lie_about(found.room.room_name, now)
        if lie is Lie.LEFT_OUT:
            there = [p for p in there if p.kind is not ParticipantKind.AGENT]
        elif lie is Lie.OLD and now - found.changed_at <= _OLDEST:
            there = list(found.before)
        if lie:
            self._world.excuses += 1
            self._world.clock.tell(f"{found.room.room_name} {self.name} is told a lie: {lie.value}")
        return there

    def has_participants(self, room_name: str) -> bool:
        def is_anybody_there() -> bool:
            found = self._world.rooms.get(room_name)
            return bool(found and found.participants)

        return self._call(room_name, "list whether anybody is there", is_anybody_there)

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        def dispatches() -> list[Dispatch]:
            found = self._world.rooms.get(room_name)
            if not found:
                pause(_TIME_OUT)
                raise LiveKitUnavailableError("no such room (livekit-behaviour 5)")
            listed = self._shuffled(list(found.dispatches.values()))
            return [replace(one, jobs=self._workers.jobs_listed(one)) for one in listed]

        look = self._looks[room_name]
        found = self._call(room_name, "list_dispatches", dispatches)
        look.saw_dispatches(found)
        return found

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        look = self._looks[room_name]
        look.is_unasked = look.dispatches is None
        self._promises.may_create(look, order)

        def create() -> tuple[Dispatch, str]:
            self._promises.creates(look)
            created = self._world.dispatch(room_name, order)
            room_sid = self._world.rooms[room_name].room.room_sid
            self._world.sent_to.add(room_sid)
            return created, room_sid

        created, room_sid = self._call(room_name, f"create {order.agent_name}", create)
        look.created.add(created.dispatch_id)
        look.entered.add(room_sid)
        return created

    def delete_dispatch(self, room_name: str, dispatch_id: str) -> bool:
        look = self._looks[room_name]
        self._promises.may_delete(look, dispatch_id)

        def delete() -> bool:
            self._promises.deletes(look, dispatch_id)
            found = self._world.rooms.get(room_name)
            is_there = bool(found and found.dispatches.pop(dispatch_id, None))
            if is_there:
                self._workers.stop(dispatch_id)
            return is_there

        was_there = self._call(room_name, f"delete {dispatch_id}", delete)
        if was_there:
            self._promises.has_deleted(look, dispatch_id)
        look.forget(dispatch_id)
        return was_there

    def remove_participant(self, room_name: str, participant_identity: str) -> bool:
        look = self._looks[room_name]
        self._promises.may_remove(look, participant_identity)

        def remove() -> bool:
            found = self._world.rooms.get(room_name)
            there = found.participants.get(participant_identity) if found else None
            if there and self._workers.vitals.of(there) is Vitality.GHOST:
                pause(_TIME_OUT)
                raise LiveKitUnavailableError("nobody can reach a ghost (livekit-behaviour 95)")
            if there:
                self._workers.put_out(there, room_name)
            return bool(there)

        return self._call(room_name, f"remove {participant_identity}", remove)

    def set_attributes(
        self, room_name: str, participant_identity: str, attributes: Mapping[str, str]
    ) -> bool:
        look = self._looks[room_name]
        self._promises.may_tell(look, participant_identity, attributes)

        def change() -> bool:
            return self._world.tell(room_name, participant_identity, attributes)

        self._world.excuses += 1
        was_there = self._call(room_name, f"tell {participant_identity}", change)
        self._world.excuses -= 1
        return was_there

    def ask_participant(self, room_name: str, participant_identity: str, method: str) -> RpcOutcome:
        """Answer in 3 ms; 0.8 s where LiveKit gives up on the agent, 1.5 s where we give up."""
        self._die_if_due()
        if self._network.is_down:
            pause(_UNANSWERED_AFTER)
            # A LiveKit that stood still tells its answers on waking, none of them to be believed.
            is_back = not self._network.is_down
            return RpcOutcome.UNKNOWN if is_back else RpcOutcome.UNANSWERED
        found = self._world.rooms.get(room_name)
        agent = found.participants.get(participant_identity) if found else None
        outcome = self._workers.answer(agent, method, self.name)
        waits = {RpcOutcome.SILENT: _SILENT_AFTER, RpcOutcome.UNANSWERED: _UNANSWERED_AFTER}
        pause(waits.get(outcome, _ANSWERS_IN))
        self._die_if_due()
        return outcome

    def _shuffled(self, found: list[Answer]) -> list[Answer]:
        """LiveKit keeps maps: no order is to be relied on."""
        self._world.chance.shuffle(found)
        return found

    def _call(self, room_name: str, what: str, execute: Callable[[], Answer]) -> Answer:
        self._network.calls[room_name] += 1
        self._die_if_due()
        fault = self._network.next_fault()
        self._pause(fault)
        if self._network.surprises:
            self._network.surprises.pop(what.split(maxsplit=1)[0], lambda: None)()
        if fault not in {Fault.NOT_DONE, Fault.TIMED_OUT}:
            answer = execute()
        if not what.startswith("list") or (fault and not self._network.is_down):
            ending = f": {fault.value}" if fault else ""
            self._world.clock.tell(f"{room_name} {self.name} {what}{ending}")
        self._die_if_due()
        if fault in {Fault.TIMED_OUT, Fault.DONE_THOUGH}:
            pause(_TIME_OUT)
        if fault in {Fault.NOT_DONE, Fault.TIMED_OUT, Fault.DONE_THOUGH}:
            raise LiveKitUnavailableError(fault.value)
        self._pause(fault)
        return answer

    def _pause(self, fault: Fault | None) -> None:
        pause(1.0 if fault is Fault.SLOW else self._world.chance.uniform(0, self._network.slowest))

    def _die_if_due(self) -> None:
        """Count down to the crash that was asked for, before or after any call is done."""
        self.calls_to_live -= 0.5
        if self.calls_to_live < 0:
            self._world.clock.after(0, self.on_death)
            pause(float("inf"))
