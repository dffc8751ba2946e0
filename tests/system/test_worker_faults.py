"""The promise, where workers fail: busy, killed, deployed anew, slow. Each bound is part of it."""

import os
import signal

import pytest

from tests.processes import busy_machine
from tests.system.agent_processes import job_pid
from tests.system.attended import wait_for_one_agent_each
from tests.system.deployment import SOON, Deployment
from token_server.livekit.port import Participant

pytestmark = pytest.mark.live

# Seconds.
DEATH_NOTICED = 12.0  # LiveKit itself takes 20 (livekit-behaviour 91)
AFTER_LEAVING = 12.0  # a worker that has just started has no warm process yet


def test_a_worker_killed_in_three_calls_is_replaced_in_each(
    deployment: Deployment, room_name: str
) -> None:
    """Out of memory, a lost machine: the calls go on, long before LiveKit notices."""
    rooms = [f"{room_name}-{number}" for number in range(3)]
    deployment.enter(*[deployment.token(room) for room in rooms])
    wait_for_one_agent_each(deployment, rooms, SOON)
    dead = {room: deployment.agent(room) for room in rooms}

    deployment.worker.kill()
    deployment.start_worker()

    for room in rooms:
        wait_for_leaving(deployment, room, dead[room])
    wait_for_one_agent_each(deployment, rooms, AFTER_LEAVING)
    # One of the dead worker's, and one of the new one's.
    assert all(2 in deployment.jobs_wanted(room) for room in rooms)


def test_an_agent_whose_process_dies_is_replaced_and_others_stay(
    deployment: Deployment, room_name: str
) -> None:
    """A crash in one call's native code is no other call's business."""
    rooms = [f"{room_name}-dies", f"{room_name}-stays"]
    deployment.enter(*[deployment.token(room) for room in rooms])
    wait_for_one_agent_each(deployment, rooms, SOON)
    dead, bystander = map(deployment.agent, rooms)

    os.kill(job_pid(deployment.worker, rooms[0]), signal.SIGKILL)

    wait_for_leaving(deployment, rooms[0], dead)
    deployment.wait_for_one_agent(rooms[0], AFTER_LEAVING)
    assert bystander.participant_sid == deployment.agent(rooms[1]).participant_sid
    assert 2 in deployment.jobs_wanted(rooms[0])
    assert 1 in deployment.jobs_wanted(rooms[1])


def test_a_deploy_cuts_no_call_off_and_loses_no_join(
    deployment: Deployment, room_name: str
) -> None:
    """Platforms start the new worker, then send SIGTERM to every process of the old one."""
    old = deployment.worker
    deployment.join(f"{room_name}-call")
    deployment.wait_for_one_agent(f"{room_name}-call")
    agent = deployment.agent(f"{room_name}-call")
    deployment.start_worker()

    os.killpg(old.popen.pid, signal.SIGTERM)
    deployment.join(f"{room_name}-at-once")
    old.wait_for_output("draining worker", within=5)
    deployment.join(f"{room_name}-later")

    deployment.wait_for_one_agent(f"{room_name}-at-once", 12)
    deployment.wait_for_one_agent(f"{room_name}-later")
    assert agent.participant_sid == deployment.agent(f"{room_name}-call").participant_sid
    assert 1 in deployment.jobs_wanted(f"{room_name}-call")
    deployment.humans.leave()  # those of the test before, too
    assert 0 == old.popen.wait(30)  # livekit-agents ends a process that hangs after 10 s


def test_a_slow_worker_is_not_asked_over_and_over(deployment: Deployment, room_name: str) -> None:
    """Two warm processes for four joins on a loaded machine: patience brings each its agent."""
    rooms = [f"{room_name}-{number}" for number in range(4)]
    tokens = [deployment.token(room) for room in rooms]
    with busy_machine(2 * (os.cpu_count() or 1)):
        deployment.enter(*tokens)

        wait_for_one_agent_each(deployment, rooms, 30)

    # Where it is so starved that it seems silent, others are asked beside it (hedging.py).
    assert max(min(deployment.jobs_wanted(room)) for room in rooms) <= 2


def wait_for_leaving(running: Deployment, room_name: str, dead: Participant) -> None:
    """Wait until a dead agent is put out."""

    def has_left() -> bool:
        return dead.participant_sid not in {a.participant_sid for a in running.agents(room_name)}

    running.wait(has_left, DEATH_NOTICED, f"no dead agent in {room_name}")
