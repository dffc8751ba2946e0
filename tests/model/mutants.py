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
    first_sends,
    hedging,
    last_seen_agents,
    life_watch,
    look_at_room,
    observed_room,
    usual_times,
    wanted_agents,
)

# What is built anew, each after what it imports.
_KEEPER = (
    agent_life,
    last_seen_agents,
    hedging,
    attendance,
    decisions,
    wanted_agents,
    observed_room,
    usual_times,
    acts,
    first_sends,
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
            first_sends=broken[first_sends.__name__].FirstSends,
        )

    def _text(self, module: ModuleType) -> str:
        source = Path(module.__file__ or "").read_text("utf-8")
        if module is not self.module:
            return source
        assert source.count(self.old) == 1
        return source.replace(self.old, self.new)


def _run(code: CodeType, namespace: dict[str, object]) -> None:
    exec(code, namespace)  # noqa: S102 (our own source, changed by us)


# What nearly every history tells (hunt.py).
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
    "gives up a job that is merely slow": Mutant(
        "return max(JOB_LOST_AFTER, ", "return max(timedelta(seconds=2), "
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
    "keeps the hedge's other dispatch": Mutant(
        "            if dispatch not in own:", "            if not own:"
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

# What the scenes of meant ends tell (test_meant_ends.py).
END_MUTANTS = {
    "gives an agent that left no second": Mutant(
        "GRACE = timedelta(seconds=1)", "GRACE = timedelta(seconds=0)"
    ),
    "never counts a failure": Mutant(
        "if is_done and action.is_failure:", "if not is_done and action.is_failure:", acts
    ),
    "forgets the agents that it saw": Mutant("    if last is None or ", "    if seen.now or "),
    "forgets the elder of two agents": Mutant(
        "            if is_here:\n                seen.has_left",
        "            if is_earlier:\n                return\n"
        "            if is_here:\n                seen.has_left",
        last_seen_agents,
    ),
    "counts failures and does not wait": Mutant(
        "failures.next_at is None or failures.next_at <= seen.now or is_news",
        "failures.next_at is None or seen.now or is_news",
    ),
    "says that an agent is back where it has never seen one": Mutant(
        "    return REPLACING if had_one and seen.is_absence_proven else None",
        '    return (REPLACING if seen.is_absence_proven else None) if had_one else ""',
        observed_room,
    ),
    "takes one answer for a leaving where nothing stands": Mutant(
        "    if not seen.is_absence_proven and seen.last_agent and", "    if not seen.order and"
    ),
    "touches a room where nobody wanted anything": Mutant(
        "for name, last in known.items() if last.is_ours)",
        "for name, last in known.items() if last)",
        look_at_room,
    ),
    "sends for a human who was released": Mutant(
        "            if not is_released:\n", "            if order:\n", wanted_agents
    ),
    "leaves standing what was sent for a human who was released": Mutant(
        "        if seen.is_released or _has_left(dispatch, seen):",
        "        if _has_left(dispatch, seen):",
    ),
}

# What histories tell so seldom that each has a scene of its own (test_rare_scenes.py).
RARE_MUTANTS = {
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
    "keeps two dispatches that were sent at once": Mutant(
        "        if younger.created_at - elder.created_at < AT_ONCE:", "        if not elder:"
    ),
    "never hedges": Mutant(
        "    if hedged_at is None or hedged_at > seen.now:", "    if seen.now or hedged_at is None:"
    ),
    "believes a dead agent": Mutant(
        "        return RemoveAgent(seen.dead[0].participant, seen.dead[0].death)",
        "        return Settled(is_attended=True)",
    ),
    "gives up a dispatch before its job can be listed": Mutant(
        "UNANSWERED_AFTER = timedelta(seconds=6)", "UNANSWERED_AFTER = timedelta(seconds=2)"
    ),
    "puts an agent out for one lost question": Mutant(
        "        if self.silent < _IN_A_ROW:\n            return False",
        "        if self.silent:\n            return True",
        agent_life,
    ),
    "believes one answer that leaves out an agent": Mutant(
        "if now - since < ABSENCE_PROVEN_AFTER:", "if now < since:", last_seen_agents
    ),
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
    "sends unasked where another process has sent": Mutant(
        "return self._notes.note_sending(room_name) > now - made.at + _SLACK",
        "return self._notes.note_sending(room_name) >= 0.0",
        first_sends,
    ),
    "sends unasked where nobody has looked for long": Mutant(
        " or now - made.empty_at > _EMPTY_WITHIN:", ":", first_sends
    ),
    "forgets what it has sent unasked": Mutant(
        "                    self._unfinished[room_name] = created\n"
        "                    return report(_VERIFIED_AFTER",
        "                    return report(_VERIFIED_AFTER",
        look_at_room,
    ),
    "hedges without end": Mutant(
        "    if len(dispatches) >= _most(hedging, told, have_lapsed=have_lapsed):",
        "    if not dispatches:",
        hedging,
    ),
}
