"""The worker of docs/agents.md, as somebody else writes it: beside ours, under its own name."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_settings.release_marks import is_released
from tests.processes import API_SECRET, Process, free_port, wait_until
from tests.snippets import snippets
from tests.system.caller import Caller
from tests.system.deployment import Deployment
from tests.system.intruder import Intruder

pytestmark = pytest.mark.live
PAGE = "docs/agents.md"
RELEASE, CONCIERGE = snippets(PAGE, "python")
START, _, _ = snippets(PAGE, "sh")
REQUEST, _ = snippets(PAGE, "json")
RUNS = [CONCIERGE, START, RELEASE, REQUEST]
_NAME = "concierge"
_ASKED = json.loads(REQUEST.text)
# For a job of the concierge, in a process that has the environment of one.
_END_CALL = """
import asyncio, sys
from types import SimpleNamespace

import release

job = SimpleNamespace(room=SimpleNamespace(name=sys.argv[1]), agent_name="concierge")
asyncio.run(release.end_call(SimpleNamespace(job=job, shutdown=print)))
"""


@pytest.fixture(scope="module")
def concierge(
    shared_deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """Write the page's file, and start it as the page says."""
    folder = tmp_path_factory.mktemp(_NAME)
    (folder / f"{_NAME}.py").write_text(CONCIERGE.text)
    # LIVEKIT_AGENT_NAME is in this environment too: the name in the code counts.
    environ = shared_deployment.livekit.environ() | {"LIVEKIT_AGENT_PORT": str(free_port())}
    shell = ["/bin/sh", "-c", f"cd {folder} && exec {START.text}"]
    with Process(shell, environ, folder / "worker.log") as worker:
        worker.wait_for_output("registered worker", within=60)
        yield worker
        # The worker alone, as systemd or Kubernetes do: it drains, and its processes end with it.
        worker.popen.terminate()
        assert worker.popen.wait(20) == 0


def _call(deployment: Deployment, room_name: str) -> Caller:
    """Join as the page's frontend does."""
    token = deployment.token(**_ASKED | {"room_name": room_name})
    return Caller(deployment.livekit.url, room_name, token=token)


@pytest.mark.usefixtures("concierge")
def test_an_agent_of_ones_own_comes_talks_and_leaves(
    deployment: Deployment, room_name: str
) -> None:
    """All that the page promises, a sign of life too; and the other agent stays away."""
    with _call(deployment, room_name) as human:
        deployment.wait_for_one_agent(room_name, agent_name=_NAME)
        wait_until(lambda: human.heard_seconds > 0.5, within=10, what="the chime is heard")

        (identity,) = human.identities
        assert identity.startswith(f"agent-{_NAME}-AJ_")
        assert "{}" == human.ask(identity, "token-server.alive")
        assert [] == deployment.agents(room_name)
    deployment.wait_for_no_agent(room_name)


def test_an_agent_of_ones_own_is_there_again_after_a_reload(
    deployment: Deployment, concierge: Process, room_name: str
) -> None:
    """Its session has ended with the human: a mute agent must not stay in its place."""
    with _call(deployment, room_name) as human:
        wait_until(lambda: human.heard_seconds, within=10, what="the first chime")

    with _call(deployment, room_name) as human:
        wait_until(lambda: human.heard_seconds, within=10, what=f"again\n{concierge.output()}")
        deployment.wait_for_one_agent(room_name, agent_name=_NAME)


@pytest.mark.usefixtures("concierge")
def test_the_session_of_an_agent_of_ones_own_is_nobody_elses(
    deployment: Deployment, room_name: str
) -> None:
    """By default livekit-agents lets everybody in the room read it, and steer it."""

    async def intrude(agent: str) -> list[str]:
        intruder = Intruder()
        await intruder.join(deployment.livekit.url, room_name)
        await intruder.try_everything(agent)
        await intruder.leave()
        return intruder.learned

    with _call(deployment, room_name) as human:
        wait_until(lambda: human.heard_seconds > 0.5, within=10, what="the chime is heard")

        (agent,) = human.identities
        assert [] == asyncio.run(intrude(agent))


def test_the_lines_of_the_page_release_whoever_is_in_the_room(
    deployment: Deployment, room_name: str, tmp_path: Path
) -> None:
    """What they write has to be what the token server takes for genuine, and the ticket stays."""
    (tmp_path / "release.py").write_text(RELEASE.text)
    end = [sys.executable, "-c", _END_CALL, room_name]
    deployment.join(room_name)

    with Process(end, deployment.livekit.environ(), tmp_path / "log", folder=tmp_path) as process:
        process.wait_for_output("the call is over")

    (alice,) = [
        one
        for one in deployment.rooms.list_participants(room_name)
        if one.participant_identity == "alice"
    ]
    assert is_released([API_SECRET], room_name, "alice", _NAME, alice.attributes)
    assert "token_server.ticket" in alice.attributes
