"""The promise, where nothing fails, under each setting: one agent for whoever joins."""

import pytest

from tests.processes import AGENT_NAME, wait_until
from tests.system.conftest import Deploy
from tests.system.deployment import SOON
from tests.system.scraping import SETTINGS, scrape

pytestmark = pytest.mark.live
ONE = {"WEB_CONCURRENCY": "1"}


def test_a_room_ends_although_an_agent_was_in_it(redeploy: Deploy, room_name: str) -> None:
    """No room is kept alive by an agent alone; that would cost, unseen, for hours."""
    running = redeploy(ROOM_DEPARTURE_TIMEOUT_SECONDS="2", **ONE)
    human = running.join(room_name)
    running.wait_for_one_agent(room_name)

    human.leave()

    running.wait_for_end(room_name)
    running.see_that(lambda: not running.rooms.list_rooms([room_name]), "ended", seconds=3)


def test_with_dispatch_at_token_the_agent_is_there_before_the_human(
    redeploy: Deploy, room_name: str
) -> None:
    """AGENT_DISPATCH=token: worth a job per token to some, and reloads work all the same."""
    running = redeploy(AGENT_DISPATCH="token", **ONE)
    token = running.token(room_name)
    running.wait_for_one_agent(room_name)

    (human,) = running.enter(token)
    running.wait_for_one_agent(room_name)
    human.leave()
    running.wait_for_no_agent(room_name)
    running.join(room_name)

    running.wait_for_one_agent(room_name)
    assert 2 in running.jobs_wanted(room_name)


def test_in_attend_rooms_anybody_gets_an_agent(redeploy: Deploy, room_name: str) -> None:
    """Phone callers, and tokens that somebody else minted."""
    running = redeploy(ATTEND_ROOMS="phone-*,room-*", **ONE)

    running.enter(running.foreign_token(room_name))

    running.wait_for_one_agent(room_name)
    assert [AGENT_NAME] == [agent.agent_name for agent in running.agents(room_name)]


def test_nobody_is_sent_for_who_asks_for_no_agent(redeploy: Deploy, room_name: str) -> None:
    """AGENTLESS_TOKENS: they listen, or take over; ATTEND_ROOMS does not count, others do."""
    running = redeploy(**SETTINGS, AGENTLESS_TOKENS="1", ATTEND_ROOMS="room-*")
    alone = f"{room_name}-alone"
    running.join(alone, agentless=True)
    running.join(room_name, "listener", agentless=True)
    running.see_that(lambda: not running.agents(room_name), "no agent, after a sweep", seconds=6)

    running.join(room_name)
    running.wait_for_one_agent(room_name)

    assert 0 == running.job_requests(alone)
    assert 1 in running.jobs_wanted(room_name)

    def counted() -> list[float]:
        shown = scrape(running)
        return [shown[f"{name}_total"] for name in ("tokens_issued", "humans_joined")]

    wait_until(lambda: counted() == [3, 1], within=SOON, what="three tokens, one who is attended")
