"""A worker with room for one job, and a second to leave it: what humans and operators see of it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import wait_until
from tests.system.deployment import Deployment
from tests.system.doctor_stage import BorrowedStack

pytestmark = pytest.mark.live

# Seconds.
BUSY_FOR = 6.0
AFTER_FREE = 8.0


@pytest.fixture(scope="module")
def small(shared_deployment: Deployment) -> Iterator[Deployment]:
    """Have it in the place of the shared worker."""
    shared_deployment.humans.leave()
    shared_deployment.worker.stop()
    worker = shared_deployment.start_worker(
        LIVEKIT_AGENT_MAX_JOBS="1", LIVEKIT_AGENT_DRAIN_SECONDS="1"
    )
    yield shared_deployment
    worker.kill()


def test_a_human_who_finds_every_worker_busy_gets_the_first_that_is_free(
    small: Deployment, room_name: str
) -> None:
    """LiveKit offers a job once (livekit-behaviour 22): somebody has to offer it again later."""
    running = small.with_web()
    alice = running.join(f"{room_name}-first")
    running.wait_for_one_agent(f"{room_name}-first")
    running.join(room_name)
    running.see_that(lambda: not running.agents(room_name), "no agent while busy", BUSY_FOR)

    alice.leave()
    running.wait_for_no_agent(f"{room_name}-first")

    running.wait_for_one_agent(room_name, AFTER_FREE)


def test_a_full_worker_of_ours_is_named(small: Deployment, tmp_path: Path) -> None:
    """It passes jobs on by itself, so LiveKit shows nothing of it."""
    with BorrowedStack(small, tmp_path) as stack:
        token = stack.with_web().token("busy")
        small.enter(token)
        wait_until(lambda: stack.has_agent("busy"), within=30, what="an agent in the other room")
        diagnosis = stack.diagnose()

    assert (1, ["worker-full"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "1 active jobs" in diagnosis.text("worker-full")


def test_a_call_outlives_a_platform_that_does_not_wait(small: Deployment, room_name: str) -> None:
    """Heroku kills after 30 s: an agent that leaves before is missed for a moment, not for 20 s."""
    running = small.with_web()
    running.humans.leave()  # of the test before
    old = running.worker
    running.join(room_name)
    running.wait_for_one_agent(room_name)
    agent = running.agent(room_name)
    running.start_worker()

    os.killpg(old.popen.pid, signal.SIGTERM)

    running.wait_for_other_agent(room_name, agent)
    running.wait_for_one_agent(room_name)
    assert 0 == old.popen.wait(30)  # livekit-agents ends a process that hangs after 10 s
    assert 2 in running.jobs_wanted(room_name)
