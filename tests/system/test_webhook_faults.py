"""The promise, whatever the network does to LiveKit's webhooks."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.deployment import Deployment
from tests.system.webhook_relay import Post, WebhookRelay

pytestmark = pytest.mark.live

LOST_FOR = 30.0  # seconds


@pytest.fixture(scope="module")
def relay(shared_deployment: Deployment) -> Iterator[WebhookRelay]:
    """Stand between the two."""
    shared_deployment.vacate()
    with WebhookRelay(shared_deployment.webhook_port) as relay:
        yield relay
        shared_deployment.vacate()


def start_web(running: Deployment, relay: WebhookRelay, **settings: str) -> None:
    """Start `web` behind the relay."""
    running.start_web(hears_webhooks=False, **settings)
    relay.target = f"{running.web_url}/webhook"


@pytest.fixture(scope="module")
def relayed(relay: WebhookRelay, shared_deployment: Deployment) -> Deployment:
    """As deployed, but for the relay; the tests leave it as it was."""
    start_web(shared_deployment, relay)
    return shared_deployment.with_worker()


def join_and_reload(running: Deployment, room_name: str) -> None:
    """What brings most events: see one agent at the join, and one after a reload."""
    human = running.join(room_name)
    running.wait_for_one_agent(room_name)
    human.leave()
    running.see_that(lambda: True, "a reload takes a moment", seconds=1.5)
    human = running.join(room_name)
    running.wait_for_one_agent(room_name)
    human.leave()


def test_without_webhooks_a_join_and_a_reload_get_their_agent(
    relayed: Deployment, relay: WebhookRelay, room_name: str, tmp_path: Path
) -> None:
    """LiveKit Cloud cannot reach a developer's machine (livekit-behaviour 54)."""
    relay.post = Post.LOST
    relayed.web.stop()
    start_web(relayed, relay, TMPDIR=str(tmp_path))  # which has never seen one
    for _ in range(4):
        human = relayed.join(room_name)
        relayed.wait_for_one_agent(room_name, within=12)
        human.leave()
        relayed.see_that(lambda: True, "a reload takes a moment", seconds=1.5)


@pytest.mark.parametrize("post", [Post.DOUBLED, Post.REVERSED])
def test_webhooks_that_come_twice_or_in_the_wrong_order_do_no_harm(
    relayed: Deployment, relay: WebhookRelay, room_name: str, post: Post
) -> None:
    """Two processes take them, and a hint that comes late tells of a room as it was."""
    relay.post, delivered = post, relay.delivered

    join_and_reload(relayed, room_name)

    relayed.wait_for_no_agent(room_name)
    assert relay.delivered > delivered
    assert min(relayed.jobs_wanted(room_name)) <= 2


def test_webhooks_that_stop_coming_are_not_missed(
    relayed: Deployment, relay: WebhookRelay, room_name: str
) -> None:
    """A broken route for half a minute, after webhooks had been known to work."""
    relay.post = Post.PROMPT
    relayed.join(room_name)
    relayed.wait_for_one_agent(room_name)

    relay.post, lost_at = Post.LOST, time.monotonic()
    rounds = 0
    while time.monotonic() < lost_at + LOST_FOR:
        join_and_reload(relayed, f"{room_name}-{rounds}")
        rounds += 1
    agent = relayed.agent(room_name)
    relayed.rooms.remove_participant(room_name, agent.participant_identity)
    relayed.wait_for_other_agent(room_name, agent)
    relay.post = Post.PROMPT

    relayed.wait_for_one_agent(room_name)
