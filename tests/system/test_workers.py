"""What a real worker tells a real token server of two processes, and what an operator reads."""

import os
import signal
from typing import Any

import pytest

from tests.processes import clean_environ, run_in_shell, wait_until
from tests.snippets import snippet
from tests.system.conftest import Deploy
from tests.system.deployment import OPERATOR_KEY, SOON, Deployment
from tests.system.scraping import scrape

pytestmark = pytest.mark.live
COMMAND = snippet("docs/workers.md", "token-server workers")
RUNS = [COMMAND]
SETTINGS = {"OPERATOR_KEY": OPERATOR_KEY, "WEB_CONCURRENCY": "2"}


def shown(running: Deployment) -> list[dict[str, Any]]:
    """What either process tells the operator."""
    key = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    answer = running.http.get("/workers", headers=key)
    assert 200 == answer.status, answer.data
    found: list[dict[str, Any]] = answer.json()["workers"]
    return found


def states(running: Deployment) -> list[str]:
    """How its workers are."""
    return [worker["state"] for worker in shown(running)]


def printed(running: Deployment) -> tuple[int, str]:
    """Run the command as the operator does."""
    environ = {"TOKEN_SERVER_URL": running.web_url, "OPERATOR_KEY": OPERATOR_KEY}
    ended = run_in_shell(COMMAND.text, clean_environ() | environ)
    return ended.returncode, ended.stdout + ended.stderr


def test_a_workers_life(deploy: Deploy, room_name: str) -> None:
    """From nobody over its first call to its end: what LiveKit tells nobody."""
    running = deploy(SETTINGS)
    nobody = printed(running)

    worker = running.start_worker()
    wait_until(lambda: states(running) == ["idle"], within=2, what="an idle worker")
    idle = printed(running)
    (told,) = shown(running)
    human = running.join(room_name)
    running.wait_for_one_agent(room_name)
    wait_until(lambda: states(running) == ["busy"], within=2, what="a busy worker")
    # A room that ends while its agent connects leaves that one waiting for it.
    worker.wait_for_output("in the room", within=SOON)
    (job,) = shown(running)[0]["jobs"]
    dispatched = running.rooms.list_dispatches(room_name)
    counted = scrape(running)
    human.leave()
    running.end_room(room_name)
    wait_until(lambda: states(running) == ["idle"], within=SOON, what="idle again")

    os.kill(worker.popen.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: states(running) == ["silent"], within=10, what="a silent worker")
        silent = printed(running)
    finally:
        os.kill(worker.popen.pid, signal.SIGCONT)
    wait_until(lambda: states(running) == ["idle"], within=SOON, what="heard again")
    os.kill(worker.popen.pid, signal.SIGTERM)
    wait_until(lambda: states(running) == [], within=SOON, what="gone")

    assert (2, True) == (nobody[0], nobody[1].startswith("no worker of ours has told"))
    assert (0, True) == (idle[0], idle[1].startswith("idle  voice-agent  ")), idle
    assert (1, True) == (silent[0], silent[1].startswith("silent  voice-agent  ")), silent
    assert told["worker_id"].startswith("AW_")
    assert 0 <= told["seconds_registered"] < 60
    assert room_name == job["room_name"]
    assert job["dispatch_id"] in {each.dispatch_id for each in dispatched}
    assert 1 == counted['workers{agent_name="voice-agent",state="busy"}']
    assert 0 == counted['workers{agent_name="voice-agent",state="idle"}']
