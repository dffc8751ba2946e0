"""Agents that leave: on purpose, or because they fail. All calls go on at the same time."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.humans import Human
from tests.processes import Process, free_port, wait_until
from tests.system.deployment import OPERATOR_KEY, Deployment
from tests.system.leaving_worker import NAME

pytestmark = pytest.mark.live
# How an agent leaves, and after how many seconds.
_WAYS = {"releases": 1.0, "deletes": 0.5, "raises": 0.5, "shuts": 0.5, "refuses": 0.0}
# Within so many seconds of the join an agent that is not wanted, or that fails, would have been
# sent again and again.
_WATCHED = 10.0
# So many jobs let the pauses pass in that time; one more where this machine was slow, and a
# dispatch was hedged.
_MOST_JOBS = 5


@dataclass
class Calls:
    """One call for each way to leave."""

    deployment: Deployment
    worker: Process
    humans: dict[str, Human]
    ends_at: float

    def jobs(self, way: str) -> int:
        """Return how many dispatches the keeper has made, as the web's log tells."""
        return self.deployment.count("web.log", "CreateDispatch", f"room=call-{way} ")

    def see_no_more_than(self, way: str, most: int) -> None:
        """See that no more come while it is watched."""
        left = max(self.ends_at - time.monotonic(), 0.0)
        self.deployment.see_that(lambda: self.jobs(way) <= most, f"{most} jobs, {way}", left)


def _join(deployment: Deployment, way: str) -> Human:
    metadata = json.dumps({"how": way, "after": _WAYS[way]})
    agents = [{"agent_name": NAME, "metadata": metadata}]
    return deployment.join(f"call-{way}", f"human-{way}", room_config={"agents": agents})


@pytest.fixture(scope="module")
def calls(
    shared_deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Calls]:
    """Begin all of them."""
    environ = shared_deployment.livekit.environ() | {"LIVEKIT_AGENT_PORT": str(free_port())}
    command = [sys.executable, "-m", "tests.system.leaving_worker", "start"]
    with Process(command, environ, tmp_path_factory.mktemp(NAME) / "leaver.log") as worker:
        worker.wait_for_output("registered worker", within=60)
        shared_deployment.with_web()
        humans = {way: _join(shared_deployment, way) for way in _WAYS}
        yield Calls(shared_deployment, worker, humans, time.monotonic() + _WATCHED)
        shared_deployment.humans.leave()


def test_a_room_that_its_agent_deletes_is_not_made_anew(calls: Calls) -> None:
    """livekit-agents' EndCallTool: the agent leaves first, and the room goes a moment later."""
    calls.deployment.wait_for_end("call-deletes")

    calls.see_no_more_than("deletes", 2)
    assert [] == calls.deployment.rooms.list_rooms(["call-deletes"])


@pytest.mark.parametrize("way", ["raises", "shuts", "refuses"])
def test_an_agent_that_fails_comes_back_later_each_time(calls: Calls, way: str) -> None:
    """A crash loop brought 43 jobs in two minutes."""
    wait_until(lambda: calls.jobs(way) >= 3, within=_WATCHED, what=f"the third job, {way}")
    calls.see_no_more_than(way, _MOST_JOBS)


def test_agents_that_fail_are_told_of(calls: Calls) -> None:
    """The list of rooms, the metrics and the doctor name the room."""
    key = {"Authorization": f"Bearer {OPERATOR_KEY}"}

    def failing() -> set[str]:
        rooms = calls.deployment.http.get("/rooms", headers=key).json()["rooms"]
        return {room["room_name"] for room in rooms if room["failing"]}

    expected = {"call-raises", "call-shuts", "call-refuses"}
    wait_until(lambda: expected <= failing(), within=_WATCHED, what="all three are named")
    metrics = calls.deployment.http.get("/metrics", headers=key).data.decode()
    assert 'token_server_agents_failed_total{in_a_row="3+"} 0.0' not in metrics


def test_a_released_human_has_nobody_sent_until_they_join_anew(calls: Calls) -> None:
    """An end that was meant stays an end, whichever process looks."""
    calls.see_no_more_than("releases", 1)
    before = calls.jobs("releases")
    calls.humans["releases"].leave()
    _join(calls.deployment, "releases")

    wait_until(lambda: calls.jobs("releases") == 2, within=8, what="an agent for who came anew")
    assert 1 == before
