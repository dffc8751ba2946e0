"""/metrics of two processes that count as one, that are killed and that go."""

import itertools
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes import wait_until
from tests.system.conftest import Deploy
from tests.system.deployment import SOON, Deployment
from tests.system.scraping import SETTINGS, fetch_tokens, scrape, went_back
from tests.system.web_processes import processes, stopped

pytestmark = pytest.mark.live


@pytest.fixture
def running(redeploy: Deploy) -> Deployment:
    """Two web processes."""
    return redeploy(**SETTINGS)


def test_both_processes_count_as_one(running: Deployment, room_name: str) -> None:
    """Prometheus reaches one of them, and never knows which."""
    first, second = processes(running.web)
    with stopped(second):
        fetch_tokens(running, room_name, 3)
    with stopped(first):
        fetch_tokens(running, room_name, 4)

    with stopped(first):
        seen = [scrape(running)["tokens_issued_total"]]
    with stopped(second):
        seen.append(scrape(running)["tokens_issued_total"])

    assert [7, 7] == seen


def test_counters_only_rise_while_they_are_scraped(running: Deployment, room_name: str) -> None:
    """One that falls looks like a restart, and `rate()` then counts everything again."""
    with ThreadPoolExecutor(4) as pool:
        fetching = [pool.submit(fetch_tokens, running, room_name, 40) for _ in range(3)]
        shown = [scrape(running) for _ in range(60)]
        for fetched in fetching:
            fetched.result()
    shown.append(scrape(running))

    falls = [went_back(a, b) for a, b in itertools.pairwise(shown)]
    assert (120, [set()] * 60) == (shown[-1]["tokens_issued_total"], falls)


def replace_one(running: Deployment, process: int) -> None:
    """Kill a process, and wait for another in its place."""
    before = set(processes(running.web))
    os.kill(process, signal.SIGKILL)
    wait_until(
        lambda: len(set(processes(running.web)) - before) == 1, within=SOON, what="another process"
    )


def test_a_process_that_is_killed_takes_no_count_with_it(
    running: Deployment, room_name: str
) -> None:
    """Its tokens were issued; the rooms that it followed are not followed any more."""
    fetch_tokens(running, room_name, 1)
    wait_until(lambda: scrape(running)["rooms_followed"] == 1, within=SOON, what="a room followed")
    before = scrape(running)

    for process in processes(running.web):
        replace_one(running, process)
    after = scrape(running)

    assert (set(), 0) == (went_back(before, after), after["rooms_followed"])
    fetch_tokens(running, room_name, 2)
    assert 3 == scrape(running)["tokens_issued_total"]


def counts_in(process: int) -> Path | None:
    """Return the folder that a process counts into, from the files it has mapped."""
    maps = Path(f"/proc/{process}/maps").read_text().split()
    return next((Path(word).parent for word in maps if "/counter_" in word), None)


def test_the_counts_go_when_the_server_goes(running: Deployment) -> None:
    """They lie in memory, and nobody else would remove them."""
    (process, _) = processes(running.web)
    folder = wait_until(lambda: counts_in(process), within=SOON, what="a process that counts")
    assert folder
    assert folder.is_dir()

    running.web.stop()

    assert not folder.exists()
