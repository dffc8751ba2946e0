"""The keeper's loops that die and hang in the Procfile's web process."""

import time
from pathlib import Path

import pytest

from tests.processes import ROOT, wait_until
from tests.system.conftest import Deploy
from tests.system.deployment import SOON
from tests.system.scraping import SETTINGS, scrape

pytestmark = pytest.mark.live

DEATHS = 'loop_deaths_total{loop="look"}'
LAST = 'last_turn_timestamp_seconds{{loop="{}"}}'
# Seconds; in place of 30, and longer than a loop waits.
STUCK_AFTER = 7


def test_loops_that_die_and_hang_are_seen_and_go_on(
    deploy: Deploy, tmp_path: Path, room_name: str
) -> None:
    """Nobody would look after any room, and nothing would say so."""
    fault = tmp_path / "fault"
    faulty = {
        "PYTHONPATH": str(ROOT / "tests/system/dying_keeper"),
        "FAULT": str(fault),
        "STUCK_AFTER": str(STUCK_AFTER),
    }
    running = deploy(SETTINGS | faulty)

    fault.write_text("hang")
    health = "/healthz"
    wait_until(lambda: running.http.get(health).status == 503, within=20, what="it is stuck")
    answer = running.http.get(health).json()
    shown, now = scrape(running), time.time()
    fault.write_text("die")
    wait_until(lambda: scrape(running)[DEATHS] > 1, within=10, what="deaths are counted")
    running.web.wait_for_output("The keeper's loop has died and is started again")
    fault.unlink()

    assert ("unavailable", True) == (answer["code"], "no turn of look for" in answer["msg"])
    assert (True, True) == (
        now - shown[LAST.format("look")] >= STUCK_AFTER,
        now - shown[LAST.format("beat")] < STUCK_AFTER,
    )
    wait_until(lambda: running.http.is_ok(health), within=SOON, what="it turns again")
    running.join(room_name)
    running.web.wait_for_output(f"CreateDispatch.*{room_name}", within=SOON)
