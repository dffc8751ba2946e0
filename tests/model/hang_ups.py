"""Ends that are meant: agents that release their humans, leave, and delete the room."""

from shared_settings.release_marks import release_attribute, release_mark
from tests.model.keepers import AGENT, SECRET
from tests.model.workers import Workers
from tests.model.world import World
from token_server.livekit.port import Participant, Room


class HangUps:
    """What agents and operators do to end a conversation."""

    def __init__(self, world: World, workers: Workers) -> None:
        self._world, self._workers = world, workers

    def release(self, room_name: str, identity: str) -> None:
        """Mark one human: the agent is done with them."""
        mark = release_mark(SECRET, room_name, identity, AGENT)
        if self._world.tell(room_name, identity, {release_attribute(AGENT): mark}):
            self._world.clock.tell(f"{room_name} {identity} is released")

    def take_over(self, room_name: str) -> None:
        """Release everybody, and take back what was sent for them, as an operator has it done."""
        found = self._world.rooms.get(room_name)
        for human in found.humans() if found else ():
            self.release(room_name, human.participant_identity)
        for dispatch in list(found.dispatches.values()) if found else ():
            if found and dispatch.agent_name == AGENT:
                del found.dispatches[dispatch.dispatch_id]
                self._workers.stop(dispatch.dispatch_id)

    def hang_up(self, room_name: str, *, releases: bool, deletes_in: float | None) -> None:
        """Let an agent leave on purpose, and perhaps delete the room so many seconds later."""
        found = self._world.rooms.get(room_name)
        living = self._workers.living(found.agents(AGENT)) if found else []
        if not found or not living:
            return
        for human in found.humans() if releases else ():
            self.release(room_name, human.participant_identity)
        self._workers.give_up(living[0], room_name)
        if deletes_in is not None:
            agent, left_at = living[0], self._world.clock.now
            self._world.clock.after(deletes_in, lambda: self._delete(found.room, agent, left_at))

    def _delete(self, room: Room, agent: Participant, left_at: float) -> None:
        if self._world.is_live(room):
            self._world.end(room.room_name)
            self._world.hung_up[room.room_name] = agent, left_at
