"""What no look may ever do, judged by what its own answers have shown, not by decisions.py."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise

from tests.model.keepers import AGENT
from tests.model.look import Look, waiting
from tests.model.meant_ends import MeantEnds
from tests.model.workers import SLOWEST, Workers
from tests.model.world import World
from token_server.livekit.port import AgentOrder, Participant

# A dispatch of this age (seconds) may be given up for having no job listed
# (livekit-behaviour 26, 28).
_MAY_BE_LOST = 5.9
# A look that has not found or made an agent is followed by another within this time (seconds).
_LONGEST_WAIT = 1.0
# Seconds after which a dispatch may be late, at the soonest, and surely is; and as
# many may stand at most.
_SOONEST_LATE, _LATEST = 0.79, 4.01
_MOST_STANDING = 4
# Two that were created within this time were so by two token servers.
_AT_ONCE = timedelta(seconds=0.5)
# Seconds. A human's token may have made a room anew so shortly before.
_A_MOMENT = 1.0
# Seconds until the next look of one that saw an agent gone, which one answer does not prove.
_LOOKS_AGAIN = 0.3
# Seconds. An answer may be as old, and the one before it no better.
_LISTS_LAG = 3.0
# A look gives up after so many rounds, and comes back.
_MOST_ACTS = 8


class Promises:
    """Asked before each act of one token server."""

    def __init__(self, world: World, workers: Workers) -> None:
        self._world, self._workers = world, workers
        self._meant = MeantEnds(world, workers)
        self._require = world.clock.require

    def may_create(self, look: Look, order: AgentOrder) -> None:
        """For a human who was seen, where no agent and no dispatch was, and nothing is unknown."""
        self._may_act(look)
        is_known = look.participants is not None
        is_known &= look.dispatches is not None or self._is_first(look)
        self._require("no agent is sent into the unknown", kept=is_known)
        kept = look.has_human() or not look.has_released()
        self._require("no agent is sent for a human who was released", kept=kept)
        self._require("no agent is sent without a human", kept=look.has_human())
        self._require("no second agent is sent", kept=not look.agents())
        self._require("what is spent is deleted before another is sent", kept=not look.spent())
        kept = not look.ours() or self._is_late(look)
        self._require("another one is sent only beside one that is late", kept=kept)
        self._require("the agent asked for is sent", kept=order.agent_name == AGENT)
        self._meant.may_create(look)

    def _is_first(self, look: Look) -> bool:
        """Whether no token server has sent an agent to a room, nor a token a moment ago."""
        found = self._world.rooms.get(look.room_name)
        if found is None:
            return True
        since = self._world.clock.at(self._world.clock.now - _A_MOMENT)
        others = [
            d
            for d in found.dispatches.values()
            if d.agent_name == AGENT and d.dispatch_id not in self._world.foreign
        ]
        is_ours = found.room.room_sid in self._world.sent_to
        return not is_ours and all(d.created_at > since for d in others)

    def creates(self, look: Look) -> None:
        """Where its room is gone, the agent has not gone with it."""
        if look.room_name not in self._world.rooms:
            self._meant.makes_anew(look)

    def may_tell(self, look: Look, identity: str, attributes: Mapping[str, str]) -> None:
        """Humans are told things only where somebody wants an agent."""
        self._meant.may_touch(look)
        self._meant.tells(look, identity, attributes)

    def may_delete(self, look: Look, dispatch_id: str) -> None:
        """Only what was listed as ours, and not while its agent is seen there."""
        self._may_act(look)
        is_ours = dispatch_id in {d.dispatch_id for d in look.ours()}
        self._require("only listed dispatches of ours are deleted", kept=is_ours)
        is_known = look.participants is not None
        self._require("nothing is deleted in the unknown", kept=is_known)
        is_attended = look.has_claim() and bool(look.agents())
        dead = [a for a in look.agents() if self._workers.vitals.may_be_called_dead(a)]
        is_surplus = dispatch_id in {d.dispatch_id for d in look.surplus() + look.surplus(dead)}
        is_surplus |= self._brought_a_dead_one(dispatch_id)
        self._require("an attended room is left alone", kept=not is_attended or is_surplus)

    def may_remove(self, look: Look, participant_identity: str) -> None:
        """Only the dead, and one agent of two: whose dispatch is no more, or else the younger."""
        self._may_act(look)
        agents, vitals = look.agents(), self._workers.vitals
        seen = look.participants or ()
        (agent,) = (a for a in seen if a.participant_identity == participant_identity)
        if vitals.may_be_called_dead(agent):
            look.put_out.add(agent.participant_sid)
            return
        others = [other for other in agents if other is not agent and vitals.lives_or_did(other)]
        self._require("no living agent is put out but one too many", kept=bool(others))
        kept = agent in agents[1:] or look.is_stray(agent)
        self._require("the younger of two is put out", kept=kept)

    def _brought_a_dead_one(self, dispatch_id: str) -> bool:
        runs = (run for run in self._workers.runs if run.dispatch.dispatch_id == dispatch_id)
        return any(run.participant and not self._is_healthy(run.participant) for run in runs)

    def _may_act(self, look: Look) -> None:
        look.acts += 1
        self._meant.may_touch(look)

    def deletes(self, look: Look, dispatch_id: str) -> None:
        """A good job is cancelled at most once a wait; an agent that is there for a human never.

        But for what no observation can tell apart: the younger of two dispatches, the moment in
        which the time of a job is up or a human is back, and another dispatch's agent that came
        after this one and has left.
        """
        found, run = self._world.rooms.get(look.room_name), self._workers.run_of(dispatch_id)
        if run and run.participant and not self._is_healthy(run.participant):
            return
        is_alone = found and dispatch_id in found.dispatches and len(look.ours()) == 1
        if not found or not run or not is_alone or not waiting(found) or not look.has_human():
            return
        if self._workers.had_other_agent_since(run):
            return
        is_new = not run.participant or self._came_since(run.participant, look.listed_at)
        self._require("no healthy job is ended by a stale answer", kept=is_new)
        is_early = self._world.clock.now - run.dispatched_at < _MAY_BE_LOST
        is_lost = not run.participant or not is_early
        self._require("an agent that is there is left alone", kept=is_lost)
        if run.due_at - run.dispatched_at <= SLOWEST:
            sid = waiting(found)[0].participant_sid
            self._workers.cancelled[sid] += 1
            kept = self._workers.cancelled[sid] <= 1
            self._require("a slow job is cancelled once at most", kept=kept)

    def has_deleted(self, look: Look, dispatch_id: str) -> None:
        """Whose agent has failed is counted."""
        self._meant.has_failed(look, dispatch_id)

    def _is_healthy(self, agent: Participant) -> bool:
        vitals = self._workers.vitals
        return vitals.lives(agent) and not vitals.may_be_called_dead(agent)

    def _came_since(self, agent: Participant, listed_at: float) -> bool:
        """Whether an agent came when the list was asked for, or as shortly before as lists lag."""
        return agent.joined_at > self._world.clock.at(listed_at - _LISTS_LAG)

    def ends(self, look: Look, again_in: float | None, *, held: bool) -> None:
        """After a look that met no error, all is well, or well underway, or looked at again."""
        is_soon = again_in is not None and again_in <= _LONGEST_WAIT
        has_human, agents = look.has_human(), look.agents()
        is_unattended = has_human and not agents and not look.has_ghost()
        self._require("the watch goes on until attended", kept=is_soon or not is_unattended)
        self._meant.ends(look)
        if not held or look.acts >= _MOST_ACTS:
            return  # nothing was to be done, or the rest is for the next look
        if is_unattended:
            self._leaves_one_on_its_way(look, again_in or 0.0)
        left = look.created & {d.dispatch_id for d in look.ours()}
        # Whoever is there for a human that was released stays until it leaves.
        kept = has_human or not left or (look.has_released() and bool(agents))
        self._require("nobody is on the way to an empty room", kept=kept)
        # A dead one beside it is put out for a human; without one it is in nobody's way.
        here = [agent for agent in agents if has_human or self._is_here(look, agent)]
        kept = len(here) <= 1 or not look.is_ours
        self._require("a look leaves one agent", kept=kept)
        kept = not look.has_claim() or not look.surplus()
        self._require("what was sent beside the one that came is taken back", kept=kept)

    def _is_here(self, look: Look, agent: Participant) -> bool:
        """Whether an agent that the look has seen is there yet, and not dead."""
        found = self._world.rooms.get(look.room_name)
        is_there = found and found.participants.get(agent.participant_identity) is agent
        return bool(is_there) and not self._workers.vitals.is_dead(agent)

    def _leaves_one_on_its_way(self, look: Look, again_in: float) -> None:
        may_wait = self._meant.may_be_without_dispatch(look)
        # Who knew an agent makes sure that it is gone.
        is_unsure = bool(look.known) and again_in <= _LOOKS_AGAIN
        # Whether it is the only one is seen by the next look.
        is_verified_soon = look.is_unasked and again_in <= _LOOKS_AGAIN
        kept = bool(look.ours()) or may_wait or is_unsure or is_verified_soon
        self._require("a human is waited for with a dispatch", kept=kept)
        created_at = sorted(d.created_at for d in look.ours())
        are_apart = all(later - earlier >= _AT_ONCE for earlier, later in pairwise(created_at))
        kept = are_apart or again_in <= _LOOKS_AGAIN
        self._require("of two sent at the same moment one is left", kept=kept)
        is_lonely = len(look.ours()) == 1 and not look.ours()[0].has_job
        # What is spent is given up once a second answer agrees that the agent is gone.
        is_spent = bool(look.spent()) or any(one.jobs for one in look.ours())
        kept = (
            not is_lonely
            or self._waited(look, look.listed_at) < _LATEST
            or self._workers.share_identity
            or (is_spent and again_in <= _LOOKS_AGAIN)
            or may_wait
        )
        self._require("one that is late does not stand alone", kept=kept)
        kept = not look.spent() or again_in <= _LOOKS_AGAIN
        self._require("an agent that has left is replaced at once", kept=kept)

    def _is_late(self, look: Look) -> bool:
        """Whether the dispatches that stand are late, and no more than may stand."""
        has_job = any(dispatch.has_job for dispatch in look.ours())
        most = 1 if has_job or not self._workers.lapses else _MOST_STANDING - 1
        return (
            self._waited(look, self._world.clock.now) >= _SOONEST_LATE and len(look.ours()) <= most
        )

    def _waited(self, look: Look, now: float) -> float:
        """Return for how long a human has waited for the youngest dispatch."""
        joined = min(human.joined_at for human in look.waiting())
        began = max([joined, *(d.created_at for d in look.ours())])
        return (self._world.clock.at(now) - began).total_seconds()
