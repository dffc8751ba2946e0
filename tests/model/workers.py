"""The workers and the agents they become: late, lost, killed, doubled.

As LiveKit treats them (livekit-behaviour 22, 24, 25, 26, 28, 43, 45, 47, 61).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from tests.model.jobs import Jobs, Manner, Run
from tests.model.vitality import Vitality, Vitals
from tests.model.world import World
from token_server.livekit.port import (
    AGENT_NAME_ATTRIBUTE,
    Dispatch,
    Job,
    JobStatus,
    Participant,
    ParticipantKind,
    Room,
    RpcOutcome,
)

# Seconds a killed agent's participant is still listed (livekit-behaviour 47).
LINGERS = 20.0
# The slowest good job, from dispatch to room (livekit-behaviour 28).
SLOWEST = 10.0
# Seconds from the join of a careful agent to its own look at who else is there.
_LOOKS_AROUND = 0.3
# How many of the offers go to a worker that has vanished, where there is one.
_TO_GHOST = 0.5
# Agents that crash at once, one after the other, in a minute: six with their pauses, and as many
# that two look at once, or that a hedge has sent.
_MOST_CRASHES = 12
# A dispatch whose agent takes longer may look lapsed (seconds).
_BRISK = 0.79


class Workers(Jobs):
    """All workers of all names."""

    def __init__(self, world: World, manner: Manner) -> None:
        super().__init__(world.clock, manner)
        self._world = world
        self.vitals = Vitals(world.clock, world.chance)
        self.are_free = True
        # Whether a worker that has vanished is still offered jobs (livekit-behaviour 93).
        self.haunted = False
        # Dispatches of which the keeper may think that a ghost had them: nobody, or a slow one.
        self.lapses = 0
        self.fastest, self.slowest = 0.3, 1.0
        self.longest_lag = 0.5
        # Whether workers refuse every job; and for how many seconds agents are there at most, where
        # they crash one after the other.
        self.do_refuse = False
        self.lives_for: float | None = None
        self._crashes: dict[str, list[float]] = {}  # by room, since the last human came
        # Good jobs that were cancelled, by the waiting human's sid.
        self.cancelled: Counter[str] = Counter()
        world.on_dispatched.append(self._offer)
        world.on_last_human_left.append(self._last_human_left)
        world.on_changed.append(self._begin_count)

    def kill(self, participant: Participant, room_name: str) -> None:
        """Kill an agent's process: nobody tells LiveKit before its ICE times out."""
        for run in self.runs:
            if run.participant is participant:
                run.is_over = True
        self.vitals.strike(participant, Vitality.KILLED)
        self._world.clock.after(LINGERS, lambda: self._is_missed(participant, room_name))

    def freeze(self, participant: Participant, room_name: str) -> None:
        """Stop an agent's process, or its machine, or cut it off."""
        self.vitals.strike(participant, Vitality.FROZEN)
        self._world.clock.after(LINGERS, lambda: self._is_missed(participant, room_name))

    def hang(self, participant: Participant) -> None:
        """Block the event loop of an agent of ours, for ever; of others nobody can tell."""
        if self._manner.is_careful:
            self.vitals.strike(participant, Vitality.HUNG)

    def haunt(self, participant: Participant) -> None:
        """Crash the node that an agent is on: LiveKit lists it for ever."""
        for run in self.runs:
            run.is_over = run.is_over or run.participant is participant
        self.vitals.strike(participant, Vitality.GHOST)

    def thaw(self) -> None:
        """Let every agent that is frozen go on."""
        for run in self.runs:
            if (agent := run.participant) and self.vitals.thaw(agent):
                self._come_back(run, agent)

    def _come_back(self, run: Run, agent: Participant) -> None:
        """Let an agent find out what has become of it: ours leaves, others join anew."""
        found = self._world.rooms.get(run.room.room_name)
        if not found or found.room is not run.room:
            return
        is_there = found.participants.get(run.identity) is agent
        if self._manner.is_careful:
            if is_there:
                self._world.clock.after(_LOOKS_AROUND, lambda: self._look_around(run))
        elif not is_there:
            run.is_over = False
            run.participant = self._world.join(
                run.room.room_name, run.identity, dict(agent.attributes)
            )

    def _is_missed(self, participant: Participant, room_name: str) -> None:
        """Notice that an agent has gone, if it has."""
        if self.vitals.of(participant) in {Vitality.KILLED, Vitality.FROZEN}:
            self.put_out(participant, room_name)

    def answer(self, agent: Participant | None, method: str, asker: str) -> RpcOutcome:
        """Return what becomes of a question to an agent."""
        return self.vitals.answer(agent, method, asker, is_ours=self._manner.is_careful)

    def living(self, agents: Iterable[Participant]) -> list[Participant]:
        """Return those that live, the elder first."""
        found = [agent for agent in agents if self.vitals.lives(agent)]
        return sorted(found, key=lambda agent: (agent.joined_at, agent.participant_sid))

    def give_up(self, participant: Participant, room_name: str) -> None:
        """Let an agent that lives leave for a reason of its own."""
        if not self.vitals.lives(participant):
            return
        for run in self.runs:
            if run.participant is participant:
                self._end(run)
        if self._world.leave(room_name, participant, by_itself=True):
            left = self._world.rooms[room_name].agents(participant.agent_name)
            if not left:
                self._world.left_alone[room_name] = participant, self._world.clock.now

    def put_out(self, participant: Participant, room_name: str) -> None:
        """Put an agent out as RemoveParticipant does: its job is over; but nobody can a ghost."""
        self.over_with(participant)
        if self.vitals.of(participant) is not Vitality.GHOST:
            self._world.leave(room_name, participant)

    def lose_job(self) -> None:
        """Let a worker die with the jobs that it has not brought to their rooms yet."""
        self.lapses += 1
        for run in self.runs:
            if not run.participant:
                run.is_over = True

    def stop(self, dispatch_id: str) -> None:
        """End the job of a deleted dispatch, as DeleteAgentDispatch does (room.go, 1.13.5).

        The worker is told at once; whoever has the job's *identity* by then is put out later.
        """
        if run := self.run_of(dispatch_id):
            seconds = self._world.chance.choice([0.05, 0.5])
            self._world.clock.after(seconds, lambda: self._terminate(run))

    def _terminate(self, run: Run) -> None:
        was_over, run.is_over = run.is_over, True
        found = self._world.rooms.get(run.room.room_name)
        there = found.participants.get(run.identity) if found else None
        if there and not was_over and self._world.is_live(run.room):
            seconds = self._world.chance.choice([0.0, 3.0])
            self._world.clock.after(seconds, lambda: self.put_out(there, run.room.room_name))

    def _offer(self, room_name: str, dispatch: Dispatch) -> None:
        """Offer the job once, to whoever is free at this instant (livekit-behaviour 22)."""
        if not dispatch.agent_name:
            return
        is_lost = self.haunted and self._world.chance.random() < _TO_GHOST
        if is_lost or not self.are_free:
            self.lapses += 1
            return
        run = self._run(self._world.rooms[room_name].room, dispatch)
        if self.do_refuse:
            run.is_over, run.job = True, replace(run.job, status=JobStatus.FAILED)
        self.lapses += run.due_at - run.dispatched_at >= _BRISK
        self.runs.append(run)
        self._world.clock.after(run.due_at - run.dispatched_at, lambda: self._arrive(run))

    def _run(self, room: Room, dispatch: Dispatch) -> Run:
        clock, chance = self._world.clock, self._world.chance
        job_id = self._world.new_id("AJ")
        identity = f"agent-{dispatch.agent_name if self.share_identity else job_id}"
        job = Job(
            job_id=job_id,
            status=JobStatus.RUNNING,
            started_at=clock.at(clock.now),
            participant_identity=identity,
        )
        return Run(
            room=room,
            dispatch=dispatch,
            job=job,
            identity=identity,
            dispatched_at=clock.now,
            listed_at=clock.now + chance.uniform(0, self.longest_lag),
            # No two agents join in the same moment.
            due_at=clock.now + chance.uniform(self.fastest, self.slowest) + chance.uniform(0, 0.01),
        )

    def _end(self, run: Run) -> None:
        """End a job; LiveKit's list says so only now and then (livekit-behaviour 26)."""
        run.is_over = True
        if self._world.chance.random() < 0.5:
            run.job = replace(run.job, status=JobStatus.SUCCESS)

    def _arrive(self, run: Run) -> None:
        world, name = self._world, run.dispatch.agent_name
        if run.is_over or not world.is_live(run.room):
            run.is_over = True
            return
        found = world.rooms[run.room.room_name]
        if self._manner.is_careful and self.living(found.agents(name)):
            self._end(run)
            return
        evicted = found.participants.get(run.identity)
        attributes = {AGENT_NAME_ATTRIBUTE: name}
        if self._manner.is_careful:
            attributes[DISPATCH_ATTRIBUTE] = run.dispatch.dispatch_id
        run.participant = world.join(run.room.room_name, run.identity, attributes)
        here = run.participant
        if self._manner.is_careful:
            world.clock.after(_LOOKS_AROUND, lambda: self._look_around(run))
        if self.lives_for is not None:
            seconds = world.chance.uniform(0, self.lives_for)
            world.clock.after(seconds, lambda: self._crash(here, run.room.room_name))
        if evicted:
            # LiveKit finds the job to end by identity: the newer one's too (livekit-behaviour 45).
            self.over_with(evicted)
            world.clock.after(0.2, lambda: self.give_up(here, run.room.room_name))

    def _begin_count(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        if is_here and participant.kind is ParticipantKind.HUMAN:
            self._crashes.pop(room_name, None)

    def _crash(self, participant: Participant, room_name: str) -> None:
        """Let an agent crash that has just come, as those before it: the next ones come later."""
        found, now = self._world.rooms.get(room_name), self._world.clock.now
        if not found or found.participants.get(participant.participant_identity) is not participant:
            return
        self.give_up(participant, room_name)
        before = self._crashes.get(room_name, [])
        recent = self._crashes[room_name] = [*(at for at in before if now - at < 60.0), now]
        kept = len(recent) <= _MOST_CRASHES + self._world.excuses
        self._world.clock.require("agents that crash come ever more rarely", kept=kept)

    def _look_around(self, run: Run) -> None:
        """Let a careful agent leave again where an elder one lives."""
        found = self._world.rooms.get(run.room.room_name)
        if run.is_over or not run.participant or not found or found.room is not run.room:
            return
        living = self.living(found.agents(run.dispatch.agent_name))
        if run.participant in living[1:]:
            self.give_up(run.participant, run.room.room_name)

    def _last_human_left(self, room_name: str) -> None:
        if not self._manner.leaves:
            return
        room = self._world.rooms[room_name].room
        for run in self.runs:
            if run.room is room and run.participant and not run.is_over:
                seconds = self._world.chance.uniform(0.5, 3.5)
                self._world.clock.after(seconds, partial(self._leave_alone, run))

    def _leave_alone(self, run: Run) -> None:
        found = self._world.rooms.get(run.room.room_name)
        is_needed = bool(found and found.humans()) and self._manner.is_careful
        if run.participant and not run.is_over and not is_needed:
            self.give_up(run.participant, run.room.room_name)
