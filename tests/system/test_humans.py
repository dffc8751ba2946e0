"""What the tests' humans see: that one agent stays the only one is asked of them everywhere."""

import pytest
from livekit import api

from tests.humans import Human
from tests.processes import API_KEY, API_SECRET, wait_until
from tests.system.deployment import Deployment
from token_server.livekit.port import AGENT_NAME_ATTRIBUTE

pytestmark = pytest.mark.live


def _enter_as_agent(deployment: Deployment, room_name: str, identity: str, name: str) -> Human:
    token = api.AccessToken(API_KEY, API_SECRET).with_identity(identity).with_kind("agent")
    token.with_grants(api.VideoGrants(room_join=True, room=room_name, agent=True))
    token.with_attributes({AGENT_NAME_ATTRIBUTE: name})
    agent = deployment.enter(token.to_jwt())[0]
    agent.publish()
    return agent


def test_two_agents_are_told_of_though_the_second_has_left(
    shared_deployment: Deployment, room_name: str
) -> None:
    """They are noted when they come; whom another followed was never one of two."""
    humans = shared_deployment.humans
    shared_deployment.enter(shared_deployment.foreign_token(room_name))
    first, other = (
        _enter_as_agent(shared_deployment, room_name, name, name) for name in ("one", "other")
    )
    first.leave()
    _enter_as_agent(shared_deployment, room_name, "one-again", "one")
    second = _enter_as_agent(shared_deployment, room_name, "second", "other")
    wait_until(lambda: humans.doubles, within=5, what="two at once")
    second.leave()
    other.leave()

    with pytest.raises(AssertionError, match=f"two of other in {room_name}"):
        humans.leave()
