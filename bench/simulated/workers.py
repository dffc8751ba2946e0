"""The workers of the simulated LiveKit, and the agents they send: in time, too late, dead."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from random import Random

from bench.simulated.rooms import Later, RoomWatcher, SimulatedRooms
from shared_settings.agent_signs import ALIVE_METHOD, DISPATCH_ATTRIBUTE
from token_server.livekit.port import (
    AGENT_NAME_ATTRIBUTE,
    Dispatch,
    Job,
    JobStatus,
    Participant,
    ParticipantKind,
    RpcOutcome,
)

# Seconds a dead agent is still listed (livekit-behaviour 47).
_LINGERS = 20.0
# Seconds from the leaving of the last human to that of an agent.
_LEAVES_AFTER = 0.2


class Strike(StrEnum):
    """What may happen to an agent."""

    GO = "go"  # it is not listed any more
    KILL = "kill"  # nothing answers, and it is listed for 20 s yet
    HANG = "hang"  # its event loop does not answer, its transport does; for ever


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What the workers are like.

    Attributes:
        agent_name: The name that they registered under.
        capacity: How many jobs they take at the same time; a job is offered once.
        fastest: Seconds from a dispatch to its agent, at least.
        slowest: At most.
        listed_after: Seconds until a job is listed with its dispatch (livekit-behaviour 26).
    """

    agent_name: str
    capacity: int = 1_000_000
    fastest: float = 0.2
    slowest: float = 0.5
    listed_after: float = 1.0


class Workers(RoomWatcher):
    """Sends an agent for each dispatch of its name, where there is room for one.

    Args:
        rooms: Where the agents go.
        pool: What the workers are like.
        later: Calls something after so many seconds.
        chance: Says how long each takes.
        tell: Is told the room of an agent that was struck: nobody else sees that.
    """

    def __init__(
        self,
        rooms: SimulatedRooms,
        pool: Pool,
        later: Later,
        chance: Random,
        tell: Callable[[str], None],
    ) -> None:
        self._rooms, self.pool, self._later, self._chance = rooms, pool, later, chance
        self._tell = tell
        self._numbers = itertools.count(1)
        self._struck: dict[str, Strike] = {}  # by identity; no two agents have the same
        self.jobs = 0

    def dispatched(self, room_name: str, dispatch: Dispatch) -> None:
        """Offer the job, to whoever is free now (livekit-behaviour 22)."""
        if dispatch.agent_name == self.pool.agent_name and self.jobs < self.pool.capacity:
            self.jobs += 1
            takes = self._chance.uniform(self.pool.fastest, self.pool.slowest)
            self._later(takes, lambda: self._arrive(room_name, dispatch))

    def changed(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        """Let agents leave with their last human."""
        if is_here:
            return
        if participant.kind is ParticipantKind.AGENT:
            self.jobs -= 1
            self._struck.pop(participant.participant_identity, None)
        elif not self._rooms.humans(room_name):
            self._later(_LEAVES_AFTER, lambda: self._leave(room_name))

    def lives(self, agent: Participant) -> bool:
        """Whether an agent serves its humans."""
        return agent.participant_identity not in self._struck

    def strike(self, room_name: str, how: Strike) -> None:
        """Let something happen to a room's agents."""
        for agent in self._rooms.agents(room_name):
            identity = agent.participant_identity
            if how is Strike.GO:
                self._rooms.leave(room_name, identity)
                continue
            self._struck[identity] = how
            if how is Strike.KILL:
                self._later(_LINGERS, partial(self._rooms.leave, room_name, identity))
        self._tell(room_name)

    def answer(self, room_name: str, identity: str, method: str) -> RpcOutcome:
        """Say what becomes of a question to somebody (livekit-behaviour 92)."""
        found = self._rooms.rooms.get(room_name)
        asked = found.participants.get(identity) if found else None
        if not asked:
            return RpcOutcome.UNANSWERED
        how, is_to_loop = self._struck.get(identity), method == ALIVE_METHOD
        if how is Strike.KILL or (how is Strike.HANG and is_to_loop):
            return RpcOutcome.SILENT
        has_loop = is_to_loop and asked.kind is ParticipantKind.AGENT
        return RpcOutcome.ANSWERED if has_loop else RpcOutcome.UNSUPPORTED

    def _arrive(self, room_name: str, dispatch: Dispatch) -> None:
        found = self._rooms.rooms.get(room_name)
        if not found or dispatch.dispatch_id not in found.dispatches:
            self.jobs -= 1
            return
        identity = f"agent-{self.pool.agent_name}-{next(self._numbers)}"
        attributes = {
            AGENT_NAME_ATTRIBUTE: self.pool.agent_name,
            DISPATCH_ATTRIBUTE: dispatch.dispatch_id,
        }
        self._rooms.join(room_name, identity, attributes, ParticipantKind.AGENT)
        self._rooms.publish_audio(room_name, identity)
        job = Job(
            job_id=f"AJ_{identity}",
            status=JobStatus.RUNNING,
            started_at=self._rooms.now(),
            participant_identity=identity,
        )
        self._later(self.pool.listed_after, partial(self._list, room_name, dispatch, job))

    def _list(self, room_name: str, dispatch: Dispatch, job: Job) -> None:
        """List a job, which says that it runs long after its agent has left."""
        found = self._rooms.rooms.get(room_name)
        if found and dispatch.dispatch_id in found.dispatches:
            found.dispatches[dispatch.dispatch_id] = replace(dispatch, jobs=(job,))

    def _leave(self, room_name: str) -> None:
        if not self._rooms.humans(room_name):
            for agent in self._rooms.agents(room_name):
                if self.lives(agent):
                    self._rooms.leave(room_name, agent.participant_identity)
