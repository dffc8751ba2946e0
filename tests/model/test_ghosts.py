"""An agent of a node that has crashed: listed for ever, and nobody can put it out."""

import pytest

from tests.model.jobs import Manner
from tests.model.keepers import AGENT, Parts
from tests.model.mutants import GHOST_MUTANTS
from tests.model.scene import ROOMS, Scene

# Seconds: 10 until it counts as gone, and the questions and the attempt to put it out.
_REPLACED_WITHIN = 30.0
_OURS = Manner(is_careful=True)
_FOREIGN = Manner(is_careful=False, has_fixed_identity=False)


def _haunted(parts: Parts, manner: Manner) -> Scene:
    scene = Scene(1, manner, parts)
    scene.fetch_token(ROOMS[0], "alice", 0, is_ordered=False)
    scene.join(ROOMS[0], "alice", has_ticket=True)
    scene.clock.run_for(7.0)
    (agent,) = scene.world.rooms[ROOMS[0]].agents(AGENT)
    scene.workers.haunt(agent)
    return scene


def _is_replaced(parts: Parts, manner: Manner) -> bool:
    scene = _haunted(parts, manner)
    for other in scene.processes[1:]:
        other.crash()
    scene.clock.run_for(_REPLACED_WITHIN)
    agents = scene.world.rooms[ROOMS[0]].agents(AGENT)
    return len(scene.workers.living(agents)) == 1


@pytest.mark.parametrize("manner", [_OURS, _FOREIGN], ids=["ours", "foreign"])
def test_a_token_server_replaces_an_agent_for_whom_nobody_answers(manner: Manner) -> None:
    """It is listed for ever: who believes the list leaves its human alone for ever."""
    assert _is_replaced(Parts(), manner)


@pytest.mark.parametrize("name", GHOST_MUTANTS)
def test_a_keeper_that_waits_for_a_ghost_is_found_out(name: str) -> None:
    """A model that misses a bug put there on purpose would miss one made by accident."""
    assert not _is_replaced(GHOST_MUTANTS[name].parts(), _OURS)


@pytest.mark.parametrize("manner", [_OURS, _FOREIGN], ids=["ours", "foreign"])
def test_several_token_servers_agree_on_who_is_a_ghost(manner: Manner) -> None:
    """What one has found out, another must not undo."""
    scene = _haunted(Parts(), manner)
    scene.clock.run_for(25.0)
    scene.end_faults()
    scene.judge()
