"""/metrics of a real deployment: a human who waits is counted once."""

import pytest

from tests.processes import wait_until
from tests.system.conftest import Deploy
from tests.system.deployment import SOON, Deployment
from tests.system.scraping import SETTINGS, scrape

pytestmark = pytest.mark.live
ATTENDED = "join_to_attended_seconds_count"
# A sweep, and a look at a followed room, are 5 s apart.
TWO_SWEEPS = 11.0


@pytest.fixture
def running(redeploy: Deploy) -> Deployment:
    """Two web processes that have counted nothing yet."""
    return redeploy(**SETTINGS)


def test_one_human_is_one_wait(running: Deployment, room_name: str) -> None:
    """Two processes look at the room; the human has waited once, and for one agent."""
    running.join(room_name)
    running.wait_for_one_agent(room_name)
    wait_until(lambda: scrape(running)[ATTENDED] >= 1, within=SOON, what="a human was attended")

    running.see_that(lambda: scrape(running)[ATTENDED] == 1, "one wait", seconds=TWO_SWEEPS)
    shown = scrape(running)
    assert (1, 1, 1, 0) == (
        shown["tokens_issued_total"],
        shown["humans_joined_total"],
        shown["dispatches_created_total"],
        shown["dispatches_repaired_total"],
    )
    assert 0 < shown["join_to_attended_seconds_sum"] < SOON
    assert 0 < shown["webhooks_received_total"] == shown["webhook_age_seconds_count"]
    # Its own: LiveKit may only now bring those of the tests before, kept for half a minute.
    assert 3 <= shown['webhook_age_seconds_bucket{le="3.0"}']


def test_a_second_human_and_a_reload_are_waits_of_their_own(
    running: Deployment, room_name: str
) -> None:
    """Each join is one, however often its room is looked at."""
    human = running.join(room_name, "alice")
    running.wait_for_one_agent(room_name)
    wait_until(lambda: scrape(running)[ATTENDED] == 1, within=SOON, what="alice was attended")

    running.join(room_name, "bob")
    wait_until(lambda: scrape(running)[ATTENDED] == 2, within=SOON, what="bob was attended")
    human.leave()
    running.join(room_name, "alice")

    wait_until(lambda: scrape(running)[ATTENDED] == 3, within=SOON, what="alice was again")
    running.see_that(lambda: scrape(running)[ATTENDED] == 3, "three waits", seconds=TWO_SWEEPS)
