"""Ends that are meant, and agents that crash one after the other: a scene for each kind."""

from collections.abc import Callable

import pytest

from tests.model.jobs import Manner
from tests.model.keepers import AGENT, Parts
from tests.model.mutants import END_MUTANTS
from tests.model.scene import PROCESSES, ROOMS, Post, Scene
from token_server.livekit.port import AgentOrder, Dispatch

ALPHA = ROOMS[0]
_MANNERS = [Manner(is_careful=True), Manner(is_careful=False, has_fixed_identity=False)]
# Dispatches that any so many seconds may see, where agents go within 3 s one after the other: the
# pauses are 1 (their room may go), 1, 2, 4, 8, 16, 32, 60 s.
_MOST_WITHIN = {5: 4, 10: 5, 20: 6, 60: 8, 120: 9}

# Counts that are lost where token servers die some twenty times meanwhile, each between two calls.
_LOST_TO_DEATHS = 4


def _scene(parts: Parts, manner: Manner, seed: int = 1) -> Scene:
    return Scene(seed, manner, parts)


def _attended(parts: Parts, manner: Manner, seed: int = 1) -> Scene:
    scene = _scene(parts, manner, seed)
    scene.join(ALPHA, "alice", has_ticket=True)
    scene.clock.run_for(7.0)
    return scene


def _poke(scene: Scene, seconds: float) -> None:
    """Let time pass in which webhooks about a human make each token server look by turns."""
    for number in range(round(seconds * 10)):
        found = scene.world.rooms.get(ALPHA)
        process = scene.processes[number % PROCESSES]
        for human in found.humans() if found else ():
            process.participant_changed(ALPHA, human, is_here=True)
        scene.clock.run_for(0.1)


def _judge(scene: Scene) -> None:
    scene.end_faults()
    scene.judge()


def _a_room_goes_with_its_agent(parts: Parts, manner: Manner) -> None:
    for seed, deletes_in in enumerate((None, 0.0, 0.2, 0.4, 0.6)):
        scene = _attended(parts, manner, seed)
        _poke(scene, 1.0)
        scene.hang_ups.hang_up(ALPHA, releases=False, deletes_in=deletes_in)
        _poke(scene, 2.0)
        _judge(scene)


def _the_elder_of_two_hangs_up(parts: Parts, manner: Manner) -> None:
    for seed in range(6):
        scene = _attended(parts, manner, seed)
        (elder,) = scene.agents(ALPHA)
        _poke(scene, 1.0)
        scene.workers.freeze(elder, ALPHA)
        scene.world.dispatch(ALPHA, AgentOrder(agent_name=AGENT))
        scene.clock.run_for(1.2)
        scene.workers.thaw()
        _poke(scene, 4.0)
        scene.hang_ups.hang_up(ALPHA, releases=False, deletes_in=0.6)
        _poke(scene, 2.0)
        _judge(scene)


def _a_foreign_room(parts: Parts, manner: Manner) -> None:
    scene = _scene(parts, manner)
    for identity in ("alice", "bob"):
        scene.join(ALPHA, identity, has_ticket=False)
    for _ in range(3):
        scene.world.dispatch(ALPHA, AgentOrder(agent_name=AGENT))
        scene.clock.run_for(2.0)
        _poke(scene, 1.0)
        for agent in scene.agents(ALPHA)[:1]:
            scene.workers.give_up(agent, ALPHA)
        scene.leave(ALPHA, "bob")
        _poke(scene, 2.0)
    _judge(scene)


def _released_while_nobody_is_free(parts: Parts, manner: Manner) -> None:
    scene = _scene(parts, manner)
    scene.workers.are_free = False
    scene.join(ALPHA, "alice", has_ticket=True)
    scene.clock.run_for(4.0)
    scene.hang_ups.release(ALPHA, "alice")
    _judge(scene)
    scene.leave(ALPHA, "alice")
    scene.join(ALPHA, "alice", has_ticket=True)
    _judge(scene)


def _released_while_a_hedge_stands(parts: Parts, manner: Manner) -> None:
    scene = _scene(parts, manner)
    scene.workers.fastest = scene.workers.slowest = 9.0
    scene.workers.longest_lag = 0.0
    scene.join(ALPHA, "alice", has_ticket=True)
    scene.clock.run_for(7.0)
    standing = [d for d in scene.world.rooms[ALPHA].dispatches.values() if d.agent_name == AGENT]
    scene.hang_ups.release(ALPHA, "alice")
    _poke(scene, 1.5)
    left = [d for d in scene.world.rooms[ALPHA].dispatches.values() if d.agent_name == AGENT]
    scene.clock.require("dispatches are taken back soon", kept=not left and len(standing) == 2)
    _judge(scene)


def _released_while_it_talks(parts: Parts, manner: Manner) -> None:
    scene = _attended(parts, manner)
    scene.hang_ups.release(ALPHA, "alice")
    scene.clock.run_for(3.0)
    scene.hang_ups.hang_up(ALPHA, releases=False, deletes_in=None)
    for process in scene.processes[:2]:
        process.crash()
    scene.clock.run_for(20.0)
    _judge(scene)
    assert not scene.agents(ALPHA)
    scene.leave(ALPHA, "alice")
    scene.join(ALPHA, "alice", has_ticket=True)
    _judge(scene)


def _crash_loop(parts: Parts, manner: Manner) -> None:
    for seed, lives_for in enumerate((0.0, 1.0, 3.0)):
        scene = _scene(parts, manner, seed)
        scene.workers.lives_for = lives_for
        sent = _noted(scene)
        scene.join(ALPHA, "alice", has_ticket=True)
        scene.clock.run_for(125.0)
        for seconds, most in _MOST_WITHIN.items():
            count = max(sum(at <= other < at + seconds for other in sent) for at in sent)
            scene.clock.require(f"{most} dispatches at most in {seconds} s", kept=count <= most)
        assert len(sent) >= 6
        _judge(scene)


def _crash_loop_while_token_servers_die(parts: Parts, manner: Manner) -> None:
    for seed in range(6):
        scene = _scene(parts, manner, seed)
        scene.workers.lives_for = 1.0
        sent = _noted(scene)
        scene.join(ALPHA, "alice", has_ticket=True)
        for number in range(24):
            process = scene.processes[number % PROCESSES]
            process.crash_after(scene.chance.choice((0.5, 1.0, 1.5, 2.0, 2.5, 3.0)))
            scene.clock.run_for(4.0)
            if not process.is_alive:
                process.start()
            scene.clock.run_for(1.0)
        kept = len(sent) <= _MOST_WITHIN[120] + _LOST_TO_DEATHS
        scene.clock.require("no more are sent than deaths explain", kept=kept)
        _judge(scene)


def _refused_jobs(parts: Parts, manner: Manner) -> None:
    scene = _scene(parts, manner)
    scene.workers.do_refuse = True
    sent = _noted(scene)
    scene.join(ALPHA, "alice", has_ticket=True)
    scene.clock.run_for(60.0)
    scene.clock.require("refused jobs come ever more rarely", kept=len(sent) <= _MOST_WITHIN[60])
    _judge(scene)


def _noted(scene: Scene) -> list[float]:
    """Return the moments at which agents are sent from now on, as they come."""
    sent: list[float] = []

    def note(_: str, dispatch: Dispatch) -> None:
        if dispatch.agent_name == AGENT and scene.post is not Post.LOST:
            sent.append(scene.clock.now)

    scene.world.on_dispatched.append(note)
    return sent


def _an_agent_is_replaced_before_one_that_knows_nothing(parts: Parts, manner: Manner) -> None:
    for seed in range(4):
        scene = _attended(parts, manner, seed)
        _poke(scene, 1.0)
        scene.workers.are_free = False
        for agent in scene.agents(ALPHA):
            scene.workers.put_out(agent, ALPHA)
        scene.clock.run_for(1.0)
        scene.processes[0].crash()
        scene.processes[0].start()
        _poke(scene, 3.0)
        _judge(scene)


_TOLD_BY: dict[str, Callable[[Parts, Manner], None]] = {
    "counts failures and does not wait": _crash_loop,
    "never counts a failure": _crash_loop,
    "gives an agent that left no second": _a_room_goes_with_its_agent,
    "forgets the agents that it saw": _a_room_goes_with_its_agent,
    "says that an agent is back where it has never seen one": (
        _an_agent_is_replaced_before_one_that_knows_nothing
    ),
    "takes one answer for a leaving where nothing stands": _a_room_goes_with_its_agent,
    "forgets the elder of two agents": _the_elder_of_two_hangs_up,
    "touches a room where nobody wanted anything": _a_foreign_room,
    "sends for a human who was released": _released_while_nobody_is_free,
    "leaves standing what was sent for a human who was released": _released_while_nobody_is_free,
}
_SCENES = [
    *dict.fromkeys(_TOLD_BY.values()),
    _released_while_a_hedge_stands,
    _released_while_it_talks,
    _crash_loop_while_token_servers_die,
    _refused_jobs,
]


@pytest.mark.parametrize("manner", _MANNERS, ids=["ours", "foreign"])
@pytest.mark.parametrize("tell", _SCENES, ids=lambda tell: tell.__name__)
def test_an_end_that_was_meant_stays_an_end(
    tell: Callable[[Parts, Manner], None], manner: Manner
) -> None:
    """Nobody is rung up again who was released; and agents that crash are not sent in a rush."""
    tell(Parts(), manner)


@pytest.mark.parametrize("name", END_MUTANTS)
def test_a_keeper_that_decides_wrongly_is_found_out_by_the_scene_of_an_end(name: str) -> None:
    """A model that misses a bug put there on purpose would miss one made by accident."""
    with pytest.raises(AssertionError, match="broken"):
        _TOLD_BY[name](END_MUTANTS[name].parts(), _MANNERS[0])
