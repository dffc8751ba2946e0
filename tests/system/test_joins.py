"""The promise, where nothing fails: one agent for whoever joins, none for whoever does not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests import plain_http
from tests.system.deployment import Deployment
from token_server.livekit.port import RoomOrder

pytestmark = pytest.mark.live


def test_ten_fresh_rooms_get_one_agent_each(deployment: Deployment, room_name: str) -> None:
    """The first thing anybody tries, ten times."""
    rooms = [f"{room_name}-{number}" for number in range(10)]
    for room in rooms:
        human = deployment.join(room)
        deployment.wait_for_one_agent(room)
        human.leave()

    assert all(1 in deployment.jobs_wanted(room) for room in rooms)


def test_a_room_that_is_live_without_agents_gets_one(
    deployment: Deployment, room_name: str
) -> None:
    """livekit#4390: here LiveKit's own token dispatch never comes (livekit-behaviour 11)."""
    deployment.rooms.create_room(
        RoomOrder(
            room_name=room_name,
            empty_timeout=timedelta(minutes=1),
            departure_timeout=timedelta(seconds=20),
        )
    )

    deployment.join(room_name)

    deployment.wait_for_one_agent(room_name)
    assert 1 in deployment.jobs_wanted(room_name)


def test_a_page_that_reloads_has_its_agent_each_time(
    deployment: Deployment, room_name: str
) -> None:
    """LiveKit alone loses the agent at the first reload (livekit-behaviour 61)."""
    human = deployment.join(room_name)
    deployment.wait_for_one_agent(room_name)
    for _ in range(3):
        human.leave()
        # 1.5 s: the agent may be on its way out, or not yet know that its human has left.
        deployment.see_that(lambda: True, "a reload takes a moment", seconds=1.5)
        human = deployment.join(room_name)

        deployment.wait_for_one_agent(room_name)


def test_a_human_who_is_back_after_the_agent_left_has_one(
    deployment: Deployment, room_name: str
) -> None:
    """The room is still live then, with a dispatch whose job LiveKit lists as running."""
    deployment.join(room_name).leave()
    human = deployment.join(room_name)
    deployment.wait_for_one_agent(room_name)
    human.leave()
    deployment.wait_for_no_agent(room_name)

    deployment.join(room_name)

    deployment.wait_for_one_agent(room_name)


def test_two_humans_at_the_same_moment_share_one_agent(
    deployment: Deployment, room_name: str
) -> None:
    """Two webhooks at once, in two processes."""
    tokens = [deployment.token(room_name, identity) for identity in ("alice", "bob")]

    deployment.enter(*tokens)

    deployment.wait_for_one_agent(room_name)
    assert 1 in deployment.jobs_wanted(room_name)


def test_forty_tokens_at_once_for_a_room_bring_one_agent(
    deployment: Deployment, room_name: str
) -> None:
    """Pages that fetch again and again, over two processes."""

    def fetch(_: int) -> str:
        query = {"room_name": room_name}
        answer = plain_http.get(f"{deployment.web_url}/token", params=query, timeout=15)
        return str(answer.json()["participant_token"])

    with ThreadPoolExecutor(40) as pages:
        tokens = list(pages.map(fetch, range(40)))
    deployment.enter(tokens[7])

    deployment.wait_for_one_agent(room_name)
    assert 40 == len(set(tokens))
    assert 1 in deployment.jobs_wanted(room_name)


def test_tokens_that_nobody_joins_with_start_no_job(deployment: Deployment, room_name: str) -> None:
    """A page fetches its token when it is opened; most are never joined with."""
    for number in range(30):
        deployment.token(f"{room_name}-{number}")

    deployment.join(f"{room_name}-joined")

    deployment.wait_for_one_agent(f"{room_name}-joined")
    deployment.see_that(lambda: 1 in deployment.jobs_wanted(room_name), "one job", seconds=3)


def test_a_room_that_ended_before_the_join_gets_one_agent(
    deployment: Deployment, room_name: str
) -> None:
    """The join makes the room anew, and there the token's own dispatch works."""
    token = deployment.token(room_name)
    deployment.end_room(room_name)

    deployment.enter(token)

    deployment.wait_for_one_agent(room_name)
    assert 1 in deployment.jobs_wanted(room_name)


def test_an_agent_that_is_put_out_is_replaced(deployment: Deployment, room_name: str) -> None:
    """Whatever takes the agent away: as long as the human is there, another one comes."""
    deployment.join(room_name)
    deployment.wait_for_one_agent(room_name)
    (agent,) = deployment.agents(room_name)

    deployment.rooms.remove_participant(room_name, agent.participant_identity)

    deployment.wait_for_other_agent(room_name, agent)
    deployment.wait_for_one_agent(room_name)
    assert 2 in deployment.jobs_wanted(room_name)
