"""Present is not alive: who froze or died in a call is replaced, whatever LiveKit lists."""

import os
import time
from collections.abc import Iterator

import pytest

from tests.processes import wait_until
from tests.system.agent_processes import job_pid
from tests.system.deployment import SOON, Deployment
from tests.system.web_processes import stopped
from token_server.keeper.observed_room import AGENT_STATE_ATTRIBUTE
from token_server.livekit.port import Participant

pytestmark = pytest.mark.live

# Seconds from the fault to the next agent. LiveKit alone notices after 20 (livekit-behaviour 91);
# ours take 3 on a quiet machine.
REPLACED = 12.0


@pytest.fixture
def deployment(deployment: Deployment) -> Iterator[Deployment]:
    """Whoever thaws in the next test is there again for a moment (test_agent_life.py)."""
    yield deployment
    deployment.humans.leave()


def test_an_agent_that_freezes_is_replaced_and_the_human_is_told(
    deployment: Deployment, room_name: str
) -> None:
    """Its sockets stay open, so nobody but a question to it can tell."""
    agent = in_a_call(deployment, room_name)

    with stopped(job_pid(deployment.worker, room_name), os.kill):
        wait_until(
            lambda: "replacing" in told(deployment, room_name), within=REPLACED, what="it is told"
        )
        is_replaced(deployment, room_name, agent)

    wait_until(lambda: not told(deployment, room_name), within=SOON, what="that it is over, too")


def test_a_worker_that_freezes_whole_loses_its_calls_to_another(
    deployment: Deployment, room_name: str
) -> None:
    """A machine that hangs stays registered, and its agents stay listed."""
    frozen = deployment.worker
    agent = in_a_call(deployment, room_name)
    deployment.start_worker()

    with stopped(frozen.popen.pid, os.killpg):
        is_replaced(deployment, room_name, agent)
    frozen.kill()


def test_a_join_that_a_frozen_worker_is_offered_goes_to_another(
    deployment: Deployment, room_name: str
) -> None:
    """LiveKit offers the job to one of them, and to no other."""
    frozen = deployment.worker
    deployment.start_worker()
    rooms = [f"{room_name}-{number}" for number in range(6)]

    with stopped(frozen.popen.pid, os.killpg):
        deployment.enter(*[deployment.token(room) for room in rooms])
        for room in rooms:
            deployment.wait_for_one_agent(room, 2 * SOON)

        assert max(min(deployment.jobs_wanted(room)) for room in rooms) <= 2
    frozen.kill()


def test_nobody_is_put_out_while_livekit_stands_still(
    deployment: Deployment, room_name: str
) -> None:
    """It answers nobody, so nobody is dead."""
    rooms = [f"{room_name}-{number}" for number in range(3)]
    before = [[in_a_call(deployment, room).participant_sid] for room in rooms]

    with stopped(deployment.livekit.process.popen.pid, os.kill):
        time.sleep(3)  # longer than AGENT_SILENT_SECONDS, whose passing is the point

    def sids() -> list[list[str]]:
        return [[agent.participant_sid for agent in deployment.agents(room)] for room in rooms]

    deployment.see_that(lambda: sids() == before, "the agents stay", 4)
    assert before == sids()


def in_a_call(running: Deployment, room_name: str) -> Participant:
    """Join, and return the agent, once it has shown that it lives."""
    running.join(room_name)
    running.wait_for_one_agent(room_name)
    return running.agent(room_name)


def is_replaced(running: Deployment, room_name: str, dead: Participant) -> None:
    """Wait until exactly one other agent is there."""

    def is_another() -> bool:
        sids = {agent.participant_sid for agent in running.agents(room_name)}
        return bool(sids) and dead.participant_sid not in sids

    wait_until(is_another, within=REPLACED, what=f"another agent in {room_name}")
    running.wait_for_one_agent(room_name)


def told(running: Deployment, room_name: str) -> set[str]:
    """Return what the humans in a room are told of their agent."""
    everybody = running.rooms.list_participants(room_name)
    states = {each.attributes.get(AGENT_STATE_ATTRIBUTE, "") for each in everybody}
    return states - {""}
