"""What no look may do against an end that was meant, and when a human may be without a dispatch.

Judged by what its own answers have shown, and by what has truly become of the agents.
"""

from collections.abc import Mapping, Sequence

from tests.model.look import Look
from tests.model.workers import Workers
from tests.model.world import World
from token_server.keeper.failures import FAILURES_ATTRIBUTE
from token_server.keeper.observed_room import AGENT_STATE_ATTRIBUTE
from token_server.livekit.port import Participant

# Seconds for which the next agent waits after one that left by itself.
GRACE = 1.0
# Whoever came so shortly before the agent left is a page that reloads (seconds).
_RELOADED_WITHIN = 2.0
# Seconds that an agent is there which has not failed as it came; a look sees it go late.
_LIVED_LONG = 29.0
# Seconds until the next agent after so many failures in a row, from none on.
_PAUSES = (0, 0, 1, 2, 4, 8, 16, 32, 60)
_NEXT_TO_NOTHING = 0.002


def pause_after(failures: int) -> float:
    """Return the seconds until the next agent after so many failures in a row."""
    return _PAUSES[min(failures, len(_PAUSES) - 1)]


def failures_told(human: Participant) -> tuple[int, float]:
    """Return what a human's attributes say: how often in a row, and when last (since 1970)."""
    count, _, milliseconds = human.attributes.get(FAILURES_ATTRIBUTE, "0 0").partition(" ")
    return int(count), float(milliseconds) / 1000


class MeantEnds:
    """Asked before each act of one token server."""

    def __init__(self, world: World, workers: Workers) -> None:
        self._world, self._workers = world, workers
        self._require = world.clock.require

    def may_create(self, look: Look) -> None:
        """Nobody is sent while failures are paused for, nor before an agent's room may go."""
        kept = min(self._next_at(look)) <= self._world.clock.now + _NEXT_TO_NOTHING
        self._require("agents that fail come later each time", kept=kept)
        agent, left_at = self._world.left_alone.get(look.room_name, (None, 0.0))
        kept = agent is None or self._is_news(look, agent, left_at)
        is_over = self._world.clock.now >= left_at + GRACE
        self._require("an agent's leaving is given a second", kept=kept or is_over)

    def makes_anew(self, look: Look) -> None:
        """A room that goes with its agent is not made anew, by whoever knew of that agent."""
        agent, left_at = self._world.hung_up.get(look.room_name, (None, 0.0))
        kept = agent is None or self._is_news(look, agent, left_at)
        self._require("a room that has ended with its agent is not made anew", kept=kept)

    def may_touch(self, look: Look) -> None:
        """Whatever is done is done where somebody has wanted an agent."""
        self._require("a room where nobody wanted anything is left alone", kept=look.is_ours)

    def has_failed(self, look: Look, dispatch_id: str) -> None:
        """Owe the waiting humans a count of the failure that a deleted dispatch stands for."""
        runs = (r for r in self._workers.runs if r.dispatch.dispatch_id == dispatch_id)
        run = next(runs, None)
        agent, humans = run.participant if run else None, look.waiting()
        is_only = [d.dispatch_id for d in look.spent()] == [dispatch_id] and len(look.ours()) == 1
        if not run or not agent or not humans or not is_only or not look.knew(agent):
            return
        if look.last_told and look.last_told.joined_at > agent.joined_at:
            return
        if run.dispatch.created_at >= min(human.joined_at for human in humans):
            fewest = min(failures_told(human)[0] for human in humans)
            look.owed = {human.participant_identity: fewest for human in humans}

    def tells(self, look: Look, identity: str, attributes: Mapping[str, str]) -> None:
        """Each failure counts one more, but after an agent that was there for long.

        And the agent is said to be back when one is seen, by whoever saw it.
        """
        if (state := attributes.get(AGENT_STATE_ATTRIBUTE)) is not None:
            kept = bool(look.agents()) is (state == "")
            self._require("a human is told that the agent is back when it is", kept=kept)
        if FAILURES_ATTRIBUTE not in attributes:
            return
        told, before = int(attributes[FAILURES_ATTRIBUTE].split()[0]), look.owed.pop(identity, None)
        last = look.last_seen
        lived = self._world.clock.at(look.seen_at) - last.joined_at if last else None
        has_lived = lived is None or lived.total_seconds() >= _LIVED_LONG
        kept = before is None or told == before + 1 or has_lived
        self._require("each failure counts one more", kept=kept)

    def ends(self, look: Look) -> None:
        """What has failed was counted."""
        self._require("a failure is counted", kept=not look.owed)

    def may_be_without_dispatch(self, look: Look) -> bool:
        """Whether a look may leave its humans without a dispatch: the next is to come later."""
        if max(self._next_at(look)) > look.seen_at:
            return True
        gone_since = look.was_gone_since
        if gone_since is None or look.seen_at >= gone_since + GRACE:
            return False
        known = [one for one in (look.last_seen, look.last_told) if one]
        last = max(known, key=lambda agent: agent.joined_at, default=None)
        return last is not None and not self._came_after(look.waiting(), last, gone_since)

    def _is_news(self, look: Look, agent: Participant, left_at: float) -> bool:
        """Whether the process does not know this agent, or its humans have come after it."""
        return not look.knew(agent) or self._came_after(look.waiting(), agent, left_at)

    def _came_after(
        self, humans: Sequence[Participant], agent: Participant, left_at: float
    ) -> bool:
        """Whether the humans came back after their agent, or a moment before it noticed."""
        since = min(human.joined_at for human in humans)
        stayed = (self._world.clock.at(left_at) - since).total_seconds()
        return since > agent.joined_at and stayed < _RELOADED_WITHIN

    def _next_at(self, look: Look) -> list[float]:
        """Return when the next agent may come by each human that has seen the fewest fail."""
        told = [failures_told(human) for human in look.waiting()]
        fewest = min(count for count, _ in told)
        start = self._world.clock.at(0).timestamp()
        return (
            [last_at - start + pause_after(n) for n, last_at in told if n == fewest]
            if (pause_after(fewest))
            else [0.0]
        )
