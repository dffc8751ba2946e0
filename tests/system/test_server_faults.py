"""The promise, where servers fail: ours while it acts, LiveKit in a call, both for a burst."""

import pytest

from tests.processes import wait_until
from tests.system.attended import wait_for_one_agent_each
from tests.system.conftest import Deploy
from tests.system.deployment import Deployment
from tests.system.livekit_proxy import Held, LiveKitProxy

pytestmark = pytest.mark.live

BURST = 12
# Seconds, from the worker's registration and from the server's start.
AFTER_REGISTERING = 8.0
AFTER_START = 8.0


def test_a_token_server_killed_while_it_acts_leaves_nothing_undone(
    redeploy: Deploy, room_name: str
) -> None:
    """Between DeleteDispatch and CreateDispatch nobody is on the way to a human who waits."""
    running = redeploy(WEB_CONCURRENCY="1")
    running.join(room_name)
    running.wait_for_one_agent(room_name)
    for held in Held:
        running.kill_web()
        with LiveKitProxy(running.livekit.url, "CreateDispatch", held) as proxy:
            running.start_web(LIVEKIT_URL=proxy.url, WEB_CONCURRENCY="1")
            identity = running.agent(room_name).participant_identity
            running.rooms.remove_participant(room_name, identity)
            proxy.wait_until_held()
            running.kill_web()

        running.start_web(WEB_CONCURRENCY="1")

        running.wait_for_one_agent(room_name, AFTER_START)
    assert 3 in running.jobs_wanted(room_name)


def test_livekit_restarted_in_a_call_has_its_agent_when_the_human_is_back(
    deployment: Deployment, room_name: str
) -> None:
    """Rooms and dispatches are gone with it; the page fetches a new token and joins again."""
    human, registered = deployment.join(room_name), registrations(deployment)
    deployment.wait_for_one_agent(room_name)

    deployment.livekit.process.kill()
    deployment.livekit.start()
    human.leave()
    deployment.join(room_name)

    wait_until(lambda: registrations(deployment) > registered, within=30, what="the worker is back")
    deployment.wait_for_one_agent(room_name, AFTER_REGISTERING)


def test_twelve_joins_in_one_instant_get_one_agent_each(
    deployment: Deployment, room_name: str
) -> None:
    """A class that begins on the hour."""
    rooms = [f"{room_name}-{number:02}" for number in range(BURST)]
    tokens = [deployment.token(room) for room in rooms]

    deployment.enter(*tokens)

    wait_for_one_agent_each(deployment, rooms, 20)
    assert all(1 in deployment.jobs_wanted(room) for room in rooms)


def registrations(running: Deployment) -> int:
    """Return how often the worker has registered with LiveKit."""
    return running.worker.output().count("INFO agent.worker registered worker")
