"""The keeper with its decisions broken on purpose, each in one way."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from tests.model.keepers import Parts
from token_server.keeper import (
    acts,
    agent_life,
    attendance,
    decisions,
    hedging,
    last_seen_agents,
    life_watch,
    look_at_room,
    observed_room,
    usual_times,
)

# What is built anew, each after what it imports.
_KEEPER = (
    agent_life,
    last_seen_agents,
    hedging,
    attendance,
    decisions,
    observed_room,
    usual_times,
    acts,
    look_at_room,
    life_watch,
)


@dataclass(frozen=True)
class Mutant:
    """One change of the text of a module of the keeper that makes it wrong."""

    old: str
    new: str
    module: ModuleType = decisions

    def parts(self) -> Parts:
        """Build a keeper that does so; the real modules are left alone."""
        broken: dict[str, ModuleType] = {}
        try:
            for module in _KEEPER:
                name = module.__name__
                sys.modules[name] = broken[name] = ModuleType(name)
                _run(compile(self._text(module), name, "exec"), broken[name].__dict__)
        finally:
            sys.modules.update({module.__name__: module for module in _KEEPER})
        return Parts(
            looker=broken[look_at_room.__name__].Looker,
            watch=broken[life_watch.__name__].LifeWatch,
        )

    def _text(self, module: ModuleType) -> str:
        source = Path(module.__file__ or "").read_text("utf-8")
        if module is not self.module:
            return source
        assert source.count(self.old) == 1
        return source.replace(self.old, self.new)


def _run(code: CodeType, namespace: dict[str, object]) -> None:
    exec(code, namespace)  # noqa: S102 (our own source, changed by us)


MUTANTS = {
    "does not wait for a live dispatch": Mutant(
        "        if spent_at > seen.now:", "        if not seen.now:"
    ),
    "creates without deleting": Mutant(
        "        else:\n            return DeleteDispatch(",
        "        elif not seen.order:\n            return DeleteDispatch(",
    ),
    "sends the next before it deletes what is spent": Mutant(
        "        else:\n            return DeleteDispatch(dispatch.dispatch_id, reason, _",
        "        elif seen.created_by_us:\n"
        "            return DeleteDispatch(dispatch.dispatch_id, reason, _",
    ),
    "gives up a dispatch before its job can be listed": Mutant(
        "UNANSWERED_AFTER = timedelta(seconds=6)", "UNANSWERED_AFTER = timedelta(seconds=2)"
    ),
    "gives up a job that is merely slow": Mutant(
        "return max(JOB_LOST_AFTER, ", "return max(timedelta(seconds=2), "
    ),
    "acts without a human": Mutant(
        "return _decide_without_human(seen)", "return _decide_for_waiting_human(seen)"
    ),
    "leaves behind what it made for a human who left": Mutant(
        "if dispatch.dispatch_id in seen.created_by_us:\n", "if not seen.dispatches:\n"
    ),
    "removes the elder of two agents": Mutant(
        "return sorted(seen.agents, key=rank)", "return sorted(seen.agents, key=rank)[::-1]"
    ),
    "leaves two agents": Mutant("if len(seen.agents) > 1:", "if len(seen.agents) > 99:"),
    "forgets the agents that it saw": Mutant("    if last is None or ", "    if seen.now or "),
    "keeps two dispatches that were sent at once": Mutant(
        "        if younger.created_at - elder.created_at < AT_ONCE:", "        if not elder:"
    ),
    "sends another agent beside the one there": Mutant(
        "    if seen.agents:\n        return _decide_attended",
        "    if not seen.order:\n        return _decide_attended",
    ),
    "takes nothing back where the agent is there already": Mutant(
        "    if seen.waiting_since is None:\n        return",
        "    if seen.agents:\n        return Settled(is_attended=True)\n"
        "    if seen.waiting_since is None:\n        return",
    ),
    "never hedges": Mutant(
        "    if hedged_at is None or hedged_at > seen.now:", "    if seen.now or hedged_at is None:"
    ),
    "hedges without end": Mutant(
        "    if len(dispatches) >= _most(hedging, told, have_lapsed=have_lapsed):",
        "    if not dispatches:",
        hedging,
    ),
    "keeps the hedge's other dispatch": Mutant(
        "            if dispatch not in own:", "            if not own:"
    ),
    "believes a dead agent": Mutant(
        "        return RemoveAgent(seen.dead[0].participant, seen.dead[0].death)",
        "        return Settled(is_attended=True)",
    ),
    "puts an agent out for one lost question": Mutant(
        "        if self.silent < _IN_A_ROW:\n            return False",
        "        if self.silent:\n            return True",
        agent_life,
    ),
    "believes one answer that leaves out an agent": Mutant(
        "if now - since < ABSENCE_PROVEN_AFTER:", "if now < since:", last_seen_agents
    ),
}

# What only a ghost tells (test_ghosts.py).
GHOST_MUTANTS = {
    "believes an agent for whom nobody answers": Mutant(
        "self.absent >= _GONE_IN_A_ROW", "self.absent < 0", agent_life
    ),
    "waits for a ghost to be removed": Mutant(
        "            if is_dead:\n                self._sightings",
        "            if not agent.participant_sid:\n                self._sightings",
        acts,
    ),
}

# What histories tell so seldom that each has a scene of its own (test_rare_scenes.py).
RARE_MUTANTS = {
    "never gives up a dispatch without a job": Mutant(
        "dispatch.created_at + UNANSWERED_AFTER, UNANSWERED",
        "dispatch.created_at + timedelta(days=1), UNANSWERED",
    ),
    "never gives up a lost job": Mutant(
        "return max(JOB_LOST_AFTER, ", "return max(timedelta(days=1), "
    ),
    "believes an agent whose event loop stands still": Mutant(
        "self.blocked >= _IN_A_ROW", "self.blocked < 0", agent_life
    ),
    "treats what is unknown as death": Mutant(
        "            case RpcOutcome.SILENT:",
        "            case RpcOutcome.SILENT | RpcOutcome.UNKNOWN:",
        agent_life,
    ),
}
