"""Agents that die, freeze or get stuck in the middle of a call: the human hears the next one."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.processes import ROOT, wait_until
from tests.system.agent_processes import job_pid
from tests.system.caller import Caller
from tests.system.conftest import Deploy
from tests.system.deployment import Deployment

pytestmark = pytest.mark.live

# Seconds. LiveKit alone takes 20 to notice (livekit-behaviour 47).
NEXT_AGENT = 12.0
FROZEN = 10.0
BLOCKED = 2.0


def call(running: Deployment, room_name: str) -> Caller:
    """Join with a token of the token server's."""
    return Caller(running.livekit.url, room_name, token=running.token(room_name))


def wait_for_voice(human: Caller, *but: str, within: float = NEXT_AGENT) -> str:
    """Wait until an agent is heard that is none of these; return its identity."""

    def voices() -> list[str]:
        return [identity for identity in human.heard_from if identity not in but]

    wait_until(lambda: bool(voices()), within=within, what=f"a voice beside {but}")
    (voice,) = voices()
    return voice


def test_a_human_whose_agents_process_was_killed_hears_the_next_one_soon(
    deployment: Deployment, room_name: str
) -> None:
    """Out of memory, a crash in native code: its worker puts the dead one out at once."""
    with call(deployment, room_name) as human:
        dead = wait_for_voice(human)
        assert "{}" == human.ask(dead, "token-server.alive")

        os.kill(job_pid(deployment.worker, room_name), signal.SIGKILL)

        wait_until(lambda: dead not in human.identities, within=2, what="the dead one put out")
        wait_for_voice(human, dead)
        deployment.wait_for_one_agent(room_name)
    assert 2 in deployment.jobs_wanted(room_name)


def test_an_agent_that_thaws_after_it_was_replaced_is_not_heard_and_leaves(
    deployment: Deployment, room_name: str
) -> None:
    """A machine that slept: two voices in one call are worse than none."""
    with call(deployment, room_name) as human:
        frozen = wait_for_voice(human)
        process = job_pid(deployment.worker, room_name)
        os.kill(process, signal.SIGSTOP)
        stopped_at = time.monotonic()
        successor = wait_for_voice(human, frozen)
        wait_until(
            lambda: time.monotonic() > stopped_at + FROZEN, within=FROZEN + 1, what="long enough"
        )
        heard = human.heard_from[frozen]

        os.kill(process, signal.SIGCONT)

        deployment.see_that(lambda: human.identities == [successor], "the successor alone", 3)
        wait_until(lambda: not is_alive(process), within=15, what="the end of the old process")
        assert (heard, [successor]) == (human.heard_from[frozen], human.identities)


def test_an_agent_that_was_frozen_and_not_replaced_goes_on_talking(
    redeploy: Deploy, room_name: str, speech: Path
) -> None:
    """Nobody else is there: to leave would only make the human wait."""
    running = redeploy(AGENT_SILENT_SECONDS="6")
    with call(running, room_name) as human:
        voice = wait_for_voice(human)
        wait_until(lambda: human.agent_states[-1:] == ["listening"], within=5, what="silence")
        process = job_pid(running.worker, room_name)

        os.kill(process, signal.SIGSTOP)
        time.sleep(4)  # less than the keeper waits, and more than an agent takes for nothing
        os.kill(process, signal.SIGCONT)

        running.worker.wait_for_output(f"was frozen for .*{room_name}")
        before = human.heard_from[voice]
        human.say(speech)
        wait_until(lambda: human.heard_from[voice] > before + 1, within=10, what="it talks again")
        assert [voice] == human.identities


def test_an_agent_whose_loop_stands_still_is_ended_and_replaced(
    deploy: Deploy, room_name: str
) -> None:
    """Code that blocks: its connection lives, so that LiveKit never notices."""
    stuck = {
        "PYTHONPATH": str(ROOT / "tests/system/stuck_worker"),
        "AGENT_BLOCKED_SECONDS": str(BLOCKED),
        # The keeper is not to be faster.
        "AGENT_SILENT_SECONDS": "0",
        "WEB_CONCURRENCY": "1",
    }
    running = deploy(stuck).with_worker()
    with call(running, room_name) as human:
        dead = wait_for_voice(human)

        os.kill(job_pid(running.worker, room_name), signal.SIGUSR2)

        wait_for_voice(human, dead, within=BLOCKED + NEXT_AGENT)
        running.wait_for_one_agent(room_name)
        assert dead not in human.identities
        running.worker.wait_for_output(f"stands still(.|\n)*{room_name}")


def is_alive(pid: int) -> bool:
    """Say whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
