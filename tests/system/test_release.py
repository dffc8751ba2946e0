"""An operator takes a call over, on a real deployment: the command, and the endpoint by curl."""

import json
import re
from typing import Any

import pytest

from shared_settings.release_marks import is_released
from tests.processes import AGENT_NAME, API_SECRET, clean_environ, printed_in_shell, wait_until
from tests.snippets import Snippet, snippet
from tests.system.deployment import OPERATOR_KEY, SOON, Deployment
from token_server.livekit.port import Participant

pytestmark = pytest.mark.live
COMMAND = snippet("docs/operating.md", "token-server release kitchen")
SHOWN = snippet("docs/operating.md", "alice: released")
CURL = snippet("docs/operating.md", "/rooms/kitchen/release")
RUNS = [COMMAND, SHOWN, CURL]
KEY = {"Authorization": f"Bearer {OPERATOR_KEY}"}


def run(block: Snippet, deployment: Deployment, room_name: str) -> str:
    """Run what the page shows, for this room of this deployment."""
    environ = {"TOKEN_SERVER_URL": deployment.web_url, "OPERATOR_KEY": OPERATOR_KEY}
    own = block.text.replace("kitchen", room_name).replace(
        "http://127.0.0.1:8080", deployment.web_url
    )
    return printed_in_shell(own, clean_environ() | environ)


def human(deployment: Deployment, room_name: str, identity: str = "alice") -> Participant:
    """Return a human as LiveKit lists them."""
    listed = deployment.rooms.list_participants(room_name)
    (found,) = [each for each in listed if each.participant_identity == identity]
    return found


def is_marked(deployment: Deployment, room_name: str) -> bool:
    """Whether Alice has a genuine mark."""
    attributes = human(deployment, room_name).attributes
    return is_released([API_SECRET], room_name, "alice", AGENT_NAME, attributes)


def wait_until_gone(deployment: Deployment, room_name: str, agent: Participant) -> None:
    """Wait until this very agent is not in the room any more."""

    def sids() -> set[str]:
        return {each.participant_sid for each in deployment.agents(room_name)}

    wait_until(lambda: agent.participant_sid not in sids(), within=SOON, what="the agent leaves")


def shown(deployment: Deployment, room_name: str) -> dict[str, Any]:
    """Ask for the room; either process may answer."""
    found: dict[str, Any] = deployment.http.get(f"/rooms/{room_name}", headers=KEY).json()
    return found


def test_the_agent_leaves_and_its_human_is_marked(deployment: Deployment, room_name: str) -> None:
    """Printed as the page has it; the room and its timeline tell of it."""
    deployment.join(room_name)
    deployment.wait_for_one_agent(room_name)
    agent = deployment.agent(room_name)

    said = run(COMMAND, deployment, room_name)

    wait_until_gone(deployment, room_name, agent)
    # A slow machine may have sent for a second one.
    assert SHOWN.text == re.sub(r"\d+ dispatch(es)?", "1 dispatch", said).rstrip()
    assert is_marked(deployment, room_name)
    room = shown(deployment, room_name)
    (alice,) = [each for each in room["participants"] if each["kind"] == "human"]
    assert [AGENT_NAME] == alice["released_from"]
    deployment.see_that(lambda: not deployment.agents(room_name), "nobody comes", 2.0)
    # Written by the process that was asked, twice a second.
    assert "released" in [entry["event"] for entry in shown(deployment, room_name)["timeline"]]


def test_a_human_who_joins_anew_is_attended_again(deployment: Deployment, room_name: str) -> None:
    """The mark belongs to one join; and a script asks as the command does."""
    first = deployment.join(room_name)
    deployment.wait_for_one_agent(room_name)
    agent = deployment.agent(room_name)

    said = json.loads(run(CURL, deployment, room_name))
    wait_until_gone(deployment, room_name, agent)
    was_marked = is_marked(deployment, room_name)
    first.leave()
    deployment.join(room_name)

    deployment.wait_for_one_agent(room_name)
    assert [{"participant_identity": "alice", "agent_name": AGENT_NAME}] == said["released"]
    assert (True, False) == (was_marked, is_marked(deployment, room_name))
