"""What histories tell too seldom to find a mutant by it: one scene for each."""

from collections.abc import Callable

import pytest

from tests.model.jobs import Manner
from tests.model.keepers import AGENT, PHONE_ROOM, Parts
from tests.model.mutants import RARE_MUTANTS
from tests.model.network import Lie
from tests.model.scene import ROOMS, Post, Scene
from token_server.livekit.port import AgentOrder

# Seconds: longer than a dispatch stands that nobody took (6), and than the next one does.
_NOBODY_IS_FREE = 30.0
# Seconds in which no job comes: longer than from a job to its hedge (6).
_NO_JOB_COMES = 9.0
# LiveKit's outages, each long enough to be taken for death (2). Each ends at another moment of a
# question to the agent (1.5).
_OUTAGES = [5.0 + 0.2 * number for number in range(8)]


def _scene(parts: Parts) -> Scene:
    return Scene(1, Manner(is_careful=True), parts)


def _attended(parts: Parts) -> Scene:
    scene = _scene(parts)
    scene.join(ROOMS[0], "alice", has_ticket=True)
    scene.clock.run_for(7.0)
    return scene


def _nobody_is_free(parts: Parts) -> None:
    scene = _scene(parts)
    scene.workers.are_free = False
    scene.join(ROOMS[0], "alice", has_ticket=True)
    scene.clock.run_for(_NOBODY_IS_FREE)
    scene.end_faults()
    scene.judge()


def _jobs_die_on_their_way(parts: Parts) -> None:
    scene = _scene(parts)
    scene.workers.fastest = scene.workers.slowest = _NO_JOB_COMES
    scene.join(ROOMS[0], "alice", has_ticket=True)
    for _ in range(2):
        scene.clock.run_for(_NO_JOB_COMES - 1.0)
        scene.workers.lose_job()
    scene.end_faults()
    scene.judge()


def _an_agent_hangs(parts: Parts) -> None:
    scene = _attended(parts)
    (agent,) = scene.agents(ROOMS[0])
    scene.workers.hang(agent)
    scene.end_faults()
    scene.judge()


def _livekit_stands_still_now_and_then(parts: Parts) -> None:
    scene = _attended(parts)
    for seconds in _OUTAGES:
        scene.network.is_down = True
        scene.clock.run_for(seconds)
        scene.network.is_down = False
        scene.clock.run_for(7.0)
    scene.end_faults()
    scene.judge()


def _nobody_is_free_who_is_usually_quick(parts: Parts) -> None:
    scene = _scene(parts)
    scene.workers.slowest = 0.35
    for seconds in (7.0, 3.0, 7.0, 3.0, 7.0):
        if scene.agents(ROOMS[0]):
            scene.leave(ROOMS[0], "alice")
        else:
            scene.join(ROOMS[0], "alice", has_ticket=True)
        scene.clock.run_for(seconds)
    scene.workers.are_free = False
    scene.join(PHONE_ROOM, "bob", has_ticket=True)
    scene.clock.run_for(_NOBODY_IS_FREE)
    scene.end_faults()
    scene.judge()


def _jobs_are_listed_late(parts: Parts) -> None:
    for seed in range(4):
        scene = Scene(seed, Manner(is_careful=True), parts)
        scene.workers.fastest = scene.workers.slowest = scene.workers.longest_lag = 4.5
        scene.join(ROOMS[0], "alice", has_ticket=True)
        scene.clock.run_for(_NO_JOB_COMES)
        scene.end_faults()
        scene.judge()


def _questions_are_lost(parts: Parts) -> None:
    scene = _attended(parts)
    scene.workers.vitals.lose_probes = True
    scene.clock.run_for(60.0)
    scene.end_faults()
    scene.judge()


def _lists_leave_the_agent_out(parts: Parts) -> None:
    scene = _attended(parts)
    for _ in range(9):
        scene.network.lies[ROOMS[0]] = Lie.LEFT_OUT
        scene.clock.run_for(7.0)
    scene.end_faults()
    scene.judge()


def _two_hear_of_one_human(parts: Parts) -> None:
    for seed in range(8):
        scene = _scene_without_webhooks(parts, seed)
        scene.fetch_token(ROOMS[0], "alice", 0, is_ordered=False)
        scene.clock.run_for(1.0)
        scene.join(ROOMS[0], "alice", has_ticket=True)
        (human,) = scene.world.rooms[ROOMS[0]].humans()
        scene.processes[1].participant_changed(ROOMS[0], human, is_here=True)
        scene.clock.run_for(3.0)
        scene.end_faults()
        scene.judge()


def _a_token_makes_its_room_anew(parts: Parts) -> None:
    scene = _scene_without_webhooks(parts, 1)
    scene.workers.fastest = scene.workers.slowest = 3.0
    scene.fetch_token(ROOMS[0], "alice", 0, is_ordered=False)
    scene.clock.run_for(0.3)
    scene.world.end(ROOMS[0])
    scene.network.is_down = True
    scene.join(ROOMS[0], "alice", has_ticket=True)
    scene.clock.run_for(0.5)
    scene.network.is_down = False
    scene.clock.run_for(3.0)
    scene.end_faults()
    scene.judge()


def _who_comes_goes_at_once(parts: Parts) -> None:
    for seconds in (0.02, 0.05, 0.1, 0.2):
        scene = _scene_without_webhooks(parts, 1)
        scene.workers.fastest = scene.workers.slowest = 1.0
        scene.fetch_token(ROOMS[0], "alice", 0, is_ordered=False)
        scene.clock.run_for(0.3)
        scene.network.surprises["create"] = lambda: scene.world.end(ROOMS[0])  # noqa: B023
        scene.join(ROOMS[0], "alice", has_ticket=True)
        scene.clock.run_for(3.0 + seconds)
        scene.end_faults()
        scene.judge()


def _a_human_leaves_while_an_agent_is_sent(parts: Parts) -> None:
    scene = _scene(parts)
    scene.network.surprises["create"] = lambda: scene.leave(PHONE_ROOM, "bob")
    scene.join(PHONE_ROOM, "bob", has_ticket=False)
    scene.clock.run_for(3.0)
    scene.end_faults()
    scene.judge()


def _two_send_at_once(parts: Parts) -> None:
    for seed in range(4):
        scene = Scene(seed, Manner(is_careful=True), parts)
        scene.post, scene.locks.do_work = Post.DOUBLED, False
        scene.join(PHONE_ROOM, "bob", has_ticket=False)
        scene.clock.run_for(3.0)
        scene.end_faults()
        scene.judge()


def _somebody_else_sends_a_second_agent(parts: Parts) -> None:
    # One of ours would leave by itself.
    scene = Scene(1, Manner(is_careful=False, has_fixed_identity=False), parts)
    scene.join(ROOMS[0], "alice", has_ticket=True)
    scene.clock.run_for(7.0)
    scene.world.dispatch(ROOMS[0], AgentOrder(agent_name=AGENT))
    scene.clock.run_for(3.0)
    scene.end_faults()
    scene.judge()


def _scene_without_webhooks(parts: Parts, seed: int) -> Scene:
    scene = Scene(seed, Manner(is_careful=True), parts)
    scene.post = Post.LOST
    return scene


_TOLD_BY: dict[str, Callable[[Parts], None]] = {
    "acts without a human": _a_human_leaves_while_an_agent_is_sent,
    "leaves behind what it made for a human who left": _a_human_leaves_while_an_agent_is_sent,
    "removes the elder of two agents": _somebody_else_sends_a_second_agent,
    "leaves two agents": _somebody_else_sends_a_second_agent,
    "keeps two dispatches that were sent at once": _two_send_at_once,
    "never hedges": _nobody_is_free,
    "never gives up a dispatch without a job": _nobody_is_free,
    "never gives up a lost job": _jobs_die_on_their_way,
    "believes an agent whose event loop stands still": _an_agent_hangs,
    "gives up a dispatch before its job can be listed": _jobs_are_listed_late,
    "believes a dead agent": _an_agent_hangs,
    "puts an agent out for one lost question": _questions_are_lost,
    "believes one answer that leaves out an agent": _lists_leave_the_agent_out,
    "sends unasked where another process has sent": _two_hear_of_one_human,
    "sends unasked where nobody has looked for long": _a_token_makes_its_room_anew,
    "forgets what it has sent unasked": _who_comes_goes_at_once,
    "hedges without end": _nobody_is_free_who_is_usually_quick,
    "treats what is unknown as death": _livekit_stands_still_now_and_then,
}


@pytest.mark.parametrize("tell", dict.fromkeys(_TOLD_BY.values()), ids=lambda tell: tell.__name__)
def test_the_guarantee_holds_where_a_rare_thing_happens(tell: Callable[[Parts], None]) -> None:
    """What is rare in histories is daily where there are many rooms."""
    tell(Parts())


@pytest.mark.parametrize("name", RARE_MUTANTS)
def test_a_keeper_that_decides_wrongly_is_found_out_by_its_scene(name: str) -> None:
    """A model that misses a bug put there on purpose would miss one made by accident."""
    with pytest.raises(AssertionError, match="broken"):
        _TOLD_BY[name](RARE_MUTANTS[name].parts())
