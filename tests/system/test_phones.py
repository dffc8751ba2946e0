"""Phone callers: nobody fetches a token for them, and they ring until they hear an agent."""

import time
from pathlib import Path

import pytest

from tests.processes import wait_until
from tests.system.conftest import Deploy
from tests.system.deployment import SOON, Deployment
from tests.system.scraping import SETTINGS, scrape

pytestmark = pytest.mark.live
HEARD = "phone_join_to_heard_seconds_count"
# Seconds. It is 2.5 on an idle machine; LiveKit's count alone would be up to 5 late, and a sweep 5.
RINGS = 5.0
CALLS = 3
WATCHED = 6.0  # seconds, in which a second count of a call would come


@pytest.fixture
def running(redeploy: Deploy, tmp_path: Path) -> Deployment:
    """No webhooks, no dispatch rule, two web processes, and nothing has happened for a while."""
    environ = SETTINGS | {"ATTEND_ROOMS": "phone-*", "TMPDIR": str(tmp_path)}
    running = redeploy(hears_webhooks=False, **environ)
    wait_until(lambda: _listings(running) > 2, within=30, what="some sweeps")
    return running


def _listings(running: Deployment) -> float:
    shown = scrape(running)
    return shown['livekit_calls_total{method="ListRooms",outcome="ok"}']


def ring(running: Deployment, room_name: str) -> float:
    """Let somebody call; return the seconds from their join until an agent can be heard."""
    running.call(room_name)

    def is_heard() -> bool:
        return any(agent.has_audio for agent in running.agents(room_name))

    wait_until(is_heard, within=20, what=f"an agent's voice in {room_name}")
    heard_at = time.time()
    (caller,) = [p for p in running.rooms.list_participants(room_name) if p.is_phone]
    return heard_at - caller.joined_at.timestamp()


def test_a_phone_caller_hears_an_agent_soon_without_webhooks_and_rule(
    running: Deployment, room_name: str
) -> None:
    """Only the sweep finds them, in a room that seems empty at first."""
    rang = [ring(running, f"phone-{room_name}-{number}") for number in range(CALLS)]

    assert max(rang) < RINGS, rang
    wait_until(lambda: scrape(running)[HEARD] >= CALLS, within=SOON, what="all calls are counted")
    running.see_that(lambda: scrape(running)[HEARD] == CALLS, "each call once", seconds=WATCHED)
