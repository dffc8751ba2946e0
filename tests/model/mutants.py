"""The keeper with its decisions broken on purpose, each in one way."""

import ast
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from tests.model.process import LookerBuilder
from tests.model.scene import POLICY, SEALER
from token_server.keeper import attendance, look_at_room


@dataclass(frozen=True)
class Mutant:
    """One change of the text of attendance.py, or look_at_room.py, that makes it wrong."""

    old: str
    new: str
    module: ModuleType = attendance

    def looker(self) -> LookerBuilder:
        """Build lookers that do so; the real modules are left alone."""
        broken: dict[str, object] = {"__name__": "tests.model.broken_attendance"}
        _run(compile(self._tree(attendance), "broken_attendance", "exec"), broken)
        broken["__name__"] = "tests.model.broken_look"
        _run(compile(_without_attendance(self._tree(look_at_room)), "broken_look", "exec"), broken)
        looker = broken["Looker"]
        assert callable(looker)
        return lambda rooms, locks: looker(rooms, locks, SEALER, POLICY)

    def _tree(self, module: ModuleType) -> ast.Module:
        source = Path(module.__file__ or "").read_text("utf-8")
        if module is self.module:
            assert source.count(self.old) == 1
            source = source.replace(self.old, self.new)
        return ast.parse(source)


def _without_attendance(tree: ast.Module) -> ast.Module:
    """Take out the import of what is in the namespace already."""
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.ImportFrom) and node.module == attendance.__name__)
    ]
    return tree


def _run(code: CodeType, namespace: dict[str, object]) -> None:
    exec(code, namespace)  # noqa: S102 (our own source, changed by us)


MUTANTS = {
    "does not wait for a live dispatch": Mutant(
        "        if spent_at <= seen.now:", "        if seen.now:"
    ),
    "creates without deleting": Mutant(
        "            return DeleteDispatch(dispatch.dispatch_id, reason)", "            continue"
    ),
    "never gives up a dispatch without a job": Mutant(
        "dispatch.created_at + UNANSWERED_AFTER, ", "dispatch.created_at + timedelta(days=1), "
    ),
    "gives up a dispatch before its job can be listed": Mutant(
        "UNANSWERED_AFTER = timedelta(seconds=6)", "UNANSWERED_AFTER = timedelta(seconds=2)"
    ),
    "never gives up a lost job": Mutant(
        "return max(JOB_LOST_AFTER, ", "return max(timedelta(days=1), "
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
    "removes the elder of two agents": Mutant("youngest = max(", "youngest = min("),
    "leaves two agents": Mutant("if len(seen.agents) > 1:", "if len(seen.agents) > 99:"),
    "forgets the agents that it saw": Mutant(
        "    if seen.agent_last_joined_at is None or ", "    if seen.now or "
    ),
    "keeps two dispatches": Mutant("    if younger:", "    if not may_deliver:"),
    "sends another agent beside the one there": Mutant(
        "    if seen.agents:\n", "    if not seen.order:\n"
    ),
    "takes nothing back where the agent is there already": Mutant(
        "    if seen.waiting_since is None:\n        return",
        "    if seen.agents:\n        return Settled(is_attended=True)\n"
        "    if seen.waiting_since is None:\n        return",
    ),
}
