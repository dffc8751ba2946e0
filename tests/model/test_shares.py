"""Who looks after which room while token servers come, die and freeze."""

from collections.abc import Callable

import pytest

from tests.model.jobs import Manner
from tests.model.keepers import Parts
from tests.model.process import Process
from tests.model.scene import PROCESSES, Post, Scene

ROOMS = [f"room-{number}" for number in range(40)]
# Seconds in which rooms of one that is gone are another's.
_TAKEN_OVER = 5.0


def _scene() -> Scene:
    scene = Scene(1, Manner(is_careful=True), Parts())
    scene.post = Post.LOST
    for room_name in ROOMS:
        scene.join(room_name, "alice", has_ticket=True)
    return scene


def _at_work(scene: Scene) -> list[Process]:
    return [each for each in scene.processes if each.is_alive and not each.is_frozen]


def _unowned(scene: Scene) -> list[str]:
    processes = _at_work(scene)
    return [name for name in ROOMS if not any(each.sweeps.is_mine(name) for each in processes)]


def _shares(scene: Scene) -> list[int]:
    return [sum(map(each.sweeps.is_mine, ROOMS)) for each in _at_work(scene)]


def test_each_room_is_one_process_s() -> None:
    """What two do costs twice."""
    scene = _scene()

    scene.clock.run_for(10.0)

    assert len(ROOMS) == sum(_shares(scene))
    assert min(_shares(scene)) > len(ROOMS) / PROCESSES / 3


def test_no_room_is_nobody_s_while_processes_come() -> None:
    """A deployment starts them one after the other."""
    scene = _scene()
    for process in scene.processes[1:]:
        process.crash()
    scene.clock.run_for(6.0)
    unowned = []

    for process in scene.processes[1:]:
        process.start()
        for _ in range(80):
            scene.clock.run_for(0.1)
            unowned += _unowned(scene)

    assert ([], len(ROOMS)) == (unowned, sum(_shares(scene)))


@pytest.mark.parametrize("befalls", [Process.crash, lambda process: process.freeze(60.0)])
def test_the_rooms_of_one_that_is_gone_are_others(befalls: Callable[[Process], None]) -> None:
    """Nobody else would find who waits there, where webhooks are lost."""
    scene = _scene()
    scene.clock.run_for(10.0)
    befalls(scene.processes[0])
    before = _unowned(scene)

    scene.clock.run_for(_TAKEN_OVER)

    assert (True, []) == (bool(before), _unowned(scene))


@pytest.mark.parametrize("befalls", [Process.crash, lambda process: process.freeze(60.0)])
def test_an_agent_that_hangs_after_its_watcher_is_gone_is_replaced(
    befalls: Callable[[Process], None],
) -> None:
    """Whoever takes a room over asks its agent for signs of life as well."""
    scene = _scene()
    scene.clock.run_for(30.0)
    befalls(scene.processes[0])
    for room_name in ROOMS:
        for agent in scene.agents(room_name):
            scene.workers.freeze(agent, room_name)

    scene.clock.run_for(30.0)

    alive = [
        [agent for agent in scene.agents(name) if scene.workers.vitals.lives(agent)]
        for name in ROOMS
    ]
    assert [1] * len(ROOMS) == [len(agents) for agents in alive]
