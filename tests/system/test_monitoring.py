"""docs/monitoring with a real Prometheus, which scrapes a real deployment with humans in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

import pytest

from tests.dashboard import VARIABLES, all_queries, substituted
from tests.humans import Human
from tests.processes import Process, wait_until
from tests.prometheus_server import PrometheusServer
from tests.system.deployment import SOON, Deployment
from tests.system.scraping import SETTINGS, fetch_tokens, scrape

pytestmark = pytest.mark.live
ABSENT = "absent-agent"
UNATTENDED = "longest_unattended_seconds"


@dataclass
class Monitored:
    """What runs, and a human in it whose agent has no worker."""

    running: Deployment
    prometheus: PrometheusServer
    lonely: Human


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """One human with their agent and one without, and a request that was refused."""
    settings = SETTINGS | {"LOG_FORMAT": "json", "AGENT_NAMES": ABSENT, "ATTEND_ROOMS": "phone"}
    with Deployment(tmp_path_factory.mktemp("deployment"), settings) as running:
        target = f"127.0.0.1:{running.web_port}"
        folder = tmp_path_factory.mktemp("prometheus")
        with PrometheusServer(folder, target, "operator") as prometheus:
            # What begins before the first scrape is no rise that Prometheus could see.
            prometheus.wait_until_it_has("token_server_tokens_issued_total")
            wanted = {"agents": [{"agent_name": ABSENT}]}
            lonely = running.join("lonely", "bob", room_config=wanted)
            running.with_worker()
            running.join("attended")
            running.wait_for_one_agent("attended")
            running.call("phone")
            running.wait_for_one_agent("phone")
            running.http.post("/token", json={"room_name": "refused", "room_config": {"x": 1}})
            yield Monitored(running, prometheus, lonely)


def test_every_query_of_the_dashboard_has_data(monitored: Monitored) -> None:
    """An empty panel looks like a quiet day."""

    def without_data() -> list[str]:
        answers = {
            f"{title}: {query}": monitored.prometheus.ask(substituted(query))
            for title, query in all_queries()
        }
        return [asked for asked, found in answers.items() if not any(map(isfinite, found.values()))]

    try:
        wait_until(lambda: not without_data(), within=SOON, what="data in every panel")
    except AssertionError:
        assert [] == without_data()


def test_the_dashboard_offers_what_there_is_to_choose(monitored: Monitored) -> None:
    """Its variables are queries too."""
    asked = [v["query"]["query"] for v in VARIABLES if v["type"] == "query"]
    parts = [re.fullmatch(r"label_values\((.+), (\w+)\)", query) for query in asked]

    offered = [
        monitored.prometheus.label_values(part[2], substituted(part[1])) for part in parts if part
    ]

    assert [["token-server"], [f"127.0.0.1:{monitored.running.web_port}"]] == offered


def test_a_human_without_an_agent_is_an_alert_after_ten_seconds(monitored: Monitored) -> None:
    """And none any more when they have left, in whichever process has looked."""

    def states() -> dict[str, str]:
        return {name: rule["state"] for name, rule in monitored.prometheus.rules().items()}

    wait_until(lambda: "firing" in states().values(), within=20, what="an alert fires")

    rules = monitored.prometheus.rules()
    (alert,) = rules["TokenServerRoomUnattended"].pop("alerts")
    (lonely,) = monitored.running.rooms.list_participants("lonely")
    fired_after = datetime.fromisoformat(alert["activeAt"]) - lonely.joined_at
    assert 10 <= fired_after.total_seconds() < 14
    assert {"ok"} == {rule["health"] for rule in rules.values()}
    assert {"TokenServerRoomUnattended"} == {n for n, s in states().items() if s != "inactive"}
    monitored.lonely.leave()
    wait_until(lambda: scrape(monitored.running)[UNATTENDED] == 0, within=SOON, what="nobody waits")


def json_lines(process: Process) -> list[dict[str, Any]]:
    """Return what a process has written; every line of it has to be an object."""
    return [json.loads(line) for line in process.output().splitlines()]


def test_each_request_is_one_json_line_with_its_room(monitored: Monitored, room_name: str) -> None:
    """Whoever asks what happened in a room filters by its name."""
    running = monitored.running
    fetch_tokens(running, room_name, 3)
    wanted = {"agents": [{"agent_name": "unknown"}]}
    running.http.post("/token", json={"room_name": room_name, "room_config": wanted})

    found = json_lines(running.web)

    lines = [(line["event"], line["level"]) for line in found if line.get("room") == room_name]
    assert [("Room ready", "info")] * 3 + [("Refused", "info")] == lines
    agent = running.agent("attended").participant_identity
    about = {
        (line["event"], line.get("identity")) for line in found if line.get("room") == "attended"
    }
    whole = [("Room ready", "alice"), ("Webhook", "alice"), ("CreateDispatch", None)]
    assert {*whole, ("Webhook", agent)} == about
    jobs = {
        line["message"] for line in json_lines(running.worker) if line.get("room") == "attended"
    }
    assert {"📥 JOB REQUEST RECEIVED!", "in the room"} <= jobs
