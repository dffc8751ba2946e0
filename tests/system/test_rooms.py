"""/rooms and its commands on a real deployment: what happened, from whichever process did it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, Process, clean_environ, wait_until
from tests.system.deployment import OPERATOR_KEY, SOON, Deployment
from token_server.livekit.port import RoomOrder

pytestmark = pytest.mark.live
KEY = {"Authorization": f"Bearer {OPERATOR_KEY}"}
COMMAND = [sys.executable, "-m", "token_server.cli"]
A_LIFE = (
    "room_ready",
    "token_issued",
    "joined",
    "looked_at",
    "dispatched",
    "agent_joined",
    "first_track",
    "agent_left",
    "dispatched_again",
    "agent_joined",
    "left",
    "room_ended",
)


def room(deployment: Deployment, room_name: str) -> dict[str, Any]:
    """Ask for a room; either process may answer."""
    answer = deployment.http.get(f"/rooms/{room_name}", headers=KEY)
    assert 200 == answer.status, answer.data
    found: dict[str, Any] = answer.json()
    return found


def events(shown: dict[str, Any]) -> list[str]:
    """The timeline's events, in order."""
    return [entry["event"] for entry in shown["timeline"]]


def shows(event: str, deployment: Deployment, room_name: str) -> None:
    """Wait until the timeline has such an event."""
    wait_until(
        lambda: event in events(room(deployment, room_name)), within=SOON, what=f"{event} is shown"
    )


def environ(deployment: Deployment) -> dict[str, str]:
    """What an operator has set at their terminal."""
    return clean_environ() | {
        "TOKEN_SERVER_URL": deployment.web_url,
        "OPERATOR_KEY": OPERATOR_KEY,
        "TOKEN_SERVER_ENV_FILE": os.devnull,
    }


def run(deployment: Deployment, *arguments: str, **changes: str) -> tuple[int, str]:
    """Run a command as the operator does; return its exit code and what it printed."""
    ended = subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environ(deployment) | changes,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=30,
        check=False,
    )
    return ended.returncode, ended.stdout


def has_in_order(found: Sequence[str], *wanted: str) -> bool:
    """Whether these come in this order, with others in between."""
    rest = iter(found)
    return all(each in rest for each in wanted)


def test_a_rooms_life_from_token_to_end(deployment: Deployment, room_name: str) -> None:
    """Everything that the issue of this timeline names, and why the second agent came."""
    human = deployment.join(room_name)
    deployment.wait_for_one_agent(room_name)
    first = deployment.agent(room_name)
    shows("first_track", deployment, room_name)
    deployment.rooms.remove_participant(room_name, first.participant_identity)
    deployment.wait_for_other_agent(room_name, first)
    shown = room(deployment, room_name)

    human.leave()
    deployment.end_room(room_name)
    # Either process writes when it comes to it.
    wait_until(
        lambda: has_in_order(events(room(deployment, room_name)), *A_LIFE),
        within=SOON,
        what="the whole life",
    )
    ended = room(deployment, room_name)

    assert (True, True) == (shown["is_live"], shown["is_attended"])
    assert (False, None, []) == (ended["is_live"], ended["is_attended"], ended["participants"])
    for entry in ended["timeline"]:
        if entry["event"] in {"dispatched", "dispatched_again"}:
            assert "a human waits" in entry["reason"]
    once = [event for event in events(ended) if event not in {"looked_at", "agent_joined"}]
    assert once.count("joined") == once.count("left") == once.count("dispatched") == 1


def test_the_command_shows_the_room_that_waits(deployment: Deployment, room_name: str) -> None:
    """Attended: exit code 0; and it is in the list."""
    deployment.join(room_name)
    deployment.wait_for_one_agent(room_name)
    shows("token_issued", deployment, room_name)

    code, text = run(deployment, "room", room_name)
    listed, rooms = run(deployment, "rooms")

    assert (0, 0) == (code, listed), text
    assert re.search(rf"^{room_name}  RM_\w+, live, attended$", text, re.MULTILINE)
    assert re.search(r"human: alice, here since \d\d:", text)
    assert re.search(r"token issued +alice, agent voice-agent$", text, re.MULTILINE), text
    assert re.search(rf"attended  {room_name} +2 participants", rooms)


def test_the_command_prints_json(deployment: Deployment, room_name: str) -> None:
    """The same as the server's."""
    deployment.token(room_name)

    code, text = run(deployment, "room", "--json", room_name)

    assert (0, room_name, None) == (
        code,
        json.loads(text)["room_name"],
        json.loads(text)["is_attended"],
    )


@pytest.mark.parametrize("name", ["..", "/x", "a//b", "a\n\x1b[2Jb", "%2F?#"])
def test_the_command_shows_a_room_of_any_name(deployment: Deployment, name: str) -> None:
    """Whoever makes it chooses; LiveKit takes what our own rules for names would not."""
    minute = timedelta(minutes=1)
    order = RoomOrder(room_name=name, empty_timeout=minute, departure_timeout=minute)
    deployment.rooms.create_room(order)

    found, text = run(deployment, "room", name)
    _, document = run(deployment, "room", "--json", name)
    deployment.end_room(name)

    assert (0, name, True) == (found, json.loads(document)["room_name"], ", live," in text), text
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({}, "nothing is kept", id="unknown room"),
        pytest.param({"OPERATOR_KEY": "wrong"}, "set OPERATOR_KEY here", id="wrong key"),
        pytest.param({"TOKEN_SERVER_URL": "http://127.0.0.1:9"}, "does not answer", id="no server"),
    ],
)
def test_the_command_says_what_is_wrong(
    deployment: Deployment, room_name: str, changes: dict[str, str], says: str
) -> None:
    """In a line, without a traceback."""
    code, text = run(deployment, "room", room_name, **changes)

    assert (1, True, 1) == (code, says in text, text.count("\n")), text


@pytest.fixture
def following(deployment: Deployment, room_name: str, tmp_path: Path) -> Iterator[Process]:
    """The command that goes on, for a room that is not there yet."""
    command = [*COMMAND, "room", "--follow", room_name]
    with Process(command, environ(deployment), tmp_path / "follow.log") as running:
        yield running


def test_following_shows_what_happens(
    deployment: Deployment, room_name: str, following: Process
) -> None:
    """From before the room, to its human's agent."""
    following.wait_for_output("waiting for it")

    deployment.join(room_name)

    following.wait_for_output(r"agent joined +agent-", within=SOON)
    following.wait_for_output("live, attended", within=SOON)
    # Told by another process, which writes when it comes to it.
    following.wait_for_output("token issued", within=SOON)
    assert following.output().count("token issued") == 1
