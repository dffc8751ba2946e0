"""The promise, where something fails: late, killed, restarted, forged."""

import base64
import hashlib
import json
import shutil
import time

import pytest
from livekit import api

from tests.processes import API_KEY, API_SECRET, ON_A_FULL_DISK, ROOT
from tests.system.conftest import Deploy
from tests.system.deployment import SOON, Deployment
from token_server.state.shared_folder import find_shared_folder
from token_server.temporary_folders import MEMORY

pytestmark = pytest.mark.live
WRONG_CLOCK = {"PYTHONPATH": str(ROOT / "tests/system/wrong_clock"), "WEB_CONCURRENCY": "1"}


def test_a_token_server_killed_between_token_and_join_still_sends_one(
    deployment: Deployment, room_name: str
) -> None:
    """What it knew is in the token: any process can act on any room."""
    token = deployment.token(room_name)
    deployment.kill_web()
    deployment.start_web()

    deployment.enter(token)

    deployment.wait_for_one_agent(room_name)
    assert 1 in deployment.jobs_wanted(room_name)


def test_a_token_server_that_is_down_at_the_join_catches_up(
    deployment: Deployment, room_name: str
) -> None:
    """Its webhook is lost, and nobody follows: the first sweep finds the human."""
    token = deployment.token(room_name)
    deployment.kill_web()
    deployment.enter(token)

    deployment.start_web()

    deployment.wait_for_one_agent(room_name, within=20)


def test_a_worker_that_starts_after_the_join_is_sent(
    deployment: Deployment, room_name: str
) -> None:
    """A job is offered once (livekit-behaviour 22): the dispatch has to be made anew."""
    deployment.worker.stop()
    deployment.join(room_name)

    deployment.start_worker()

    deployment.wait_for_one_agent(room_name, within=SOON)  # counted from the registration
    assert 1 == deployment.job_requests(room_name)


def test_a_full_disk_keeps_nobody_from_their_agent(redeploy: Deploy, room_name: str) -> None:
    """Logs have filled it at night: each write fails, those of a start included."""
    running = redeploy(ON_A_FULL_DISK, OPERATOR_KEY="")

    running.join(room_name)
    running.wait_for_one_agent(room_name)
    assert 1 in running.jobs_wanted(room_name)
    running.web.wait_for_output("Timelines cannot be kept, going on without")
    warnings = [line for line in running.web.output().splitlines() if "[warning]" in line]
    metrics = [line for line in warnings if "No room for metrics: each process" in line]
    timelines = [line for line in warnings if "Timelines cannot be kept" in line]
    # The first is said by the processes' parent, the other by each of the two.
    assert (1, True) == (len(metrics), len(timelines) <= 2)
    # TOKEN_AUTH=none is warned of as on any disk.
    others = [line for line in warnings if line not in {*metrics, *timelines}]
    assert [] == [line for line in others if "TOKEN_AUTH=none" not in line]
    # While they run, its processes write there that they are.
    running.web.stop()
    shutil.rmtree(find_shared_folder(running.livekit.url, API_KEY, lambda: [MEMORY]).path)


def test_a_clock_that_is_off_by_a_minute_keeps_nobody_from_their_agent(
    redeploy: Deploy, room_name: str
) -> None:
    """LiveKit takes our tokens, we take its webhooks, and no window is a minute longer."""
    for seconds in ("60", "-60"):
        running = redeploy(SECONDS_AHEAD=seconds, **WRONG_CLOCK)

        running.join(f"{room_name}{seconds}")

        running.wait_for_one_agent(f"{room_name}{seconds}")
        assert 1 in running.jobs_wanted(f"{room_name}{seconds}")
        assert "Refused" not in running.web.output()


@pytest.mark.parametrize("seconds", ["3600", "-3600"])
def test_a_clock_that_is_off_by_an_hour_gives_tokens_that_are_good(
    redeploy: Deploy, room_name: str, seconds: str
) -> None:
    """LiveKit takes a new process's calls as well: its first refusal tells the time."""
    running = redeploy(SECONDS_AHEAD=seconds, **WRONG_CLOCK)

    running.join(room_name)

    running.wait_for_one_agent(room_name)
    assert 1 in running.jobs_wanted(room_name)


def test_livekit_that_is_gone_is_a_503_in_bounded_time_and_back_a_201(
    deploy: Deploy, room_name: str
) -> None:
    """A frontend can tell its user to try again, and need not wait for it."""
    running = deploy({"WEB_CONCURRENCY": "1"})
    running.livekit.process.stop()
    asked_at = time.monotonic()
    answer = running.http.post("/token", json={"room_name": room_name})
    took = time.monotonic() - asked_at

    running.livekit.start()

    assert (503, "unavailable") == (answer.status, answer.json()["code"])
    assert took < 5
    assert running.token(room_name)


def signed(event: dict[str, object], secret: str = API_SECRET) -> tuple[bytes, str]:
    """A webhook's body, and the header that LiveKit would send with it."""
    body = json.dumps(event).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return body, api.AccessToken(API_KEY, secret).with_sha256(digest).to_jwt()


def joined(room_name: str, event: str = "participant_joined") -> dict[str, object]:
    """A webhook event about a human in the room."""
    return {
        "event": event,
        "id": "EV_made_up",
        "room": {"name": room_name},
        "participant": {"identity": "alice", "kind": "STANDARD"},
    }


def post(deployment: Deployment, body: bytes, authorization: str) -> int:
    """Deliver a webhook; return the status."""
    headers = {"Content-Type": "application/webhook+json", "Authorization": authorization}
    return deployment.http.post("/webhook", body=body, headers=headers).status


def test_webhooks_of_every_kind_change_nothing_in_an_attended_room(
    deployment: Deployment, room_name: str
) -> None:
    """Twice, unsigned, badly signed, unknown: hints at most, orders never."""
    deployment.join(room_name)
    deployment.wait_for_one_agent(room_name)
    body, header = signed(joined(room_name))
    _, foreign = signed(joined(room_name), "some-other-secret-of-thirty-two-bytes")

    statuses = [
        post(deployment, body, header),
        post(deployment, body, header),
        post(deployment, body, ""),
        post(deployment, body, foreign),
        post(deployment, body + b" ", header),
        post(deployment, *signed(joined(room_name, "something_new"))),
        post(deployment, *signed(joined(room_name, "participant_left"))),
    ]

    assert [200, 200, 401, 401, 401, 200, 200] == statuses
    deployment.wait_for_one_agent(room_name)
    assert 1 in deployment.jobs_wanted(room_name)


def test_a_webhook_that_comes_after_the_room_has_ended_makes_no_room(
    deployment: Deployment, room_name: str
) -> None:
    """Late ones name rooms that are gone; a dispatch would make them (livekit-behaviour 3)."""
    status = post(deployment, *signed(joined(room_name)))

    assert 200 == status
    deployment.see_that(lambda: not deployment.rooms.list_rooms([room_name]), "no room")
