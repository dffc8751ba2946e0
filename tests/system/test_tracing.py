"""Traces of a real deployment, as a collector gets them."""

import time
from collections.abc import Iterator

import pytest

from tests import plain_http
from tests.collector import Collector, Delivered
from tests.processes import free_port, wait_until
from tests.system.conftest import Deploy
from tests.system.deployment import SOON, Deployment
from tests.system.web_processes import processes, stopped

pytestmark = pytest.mark.live

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FRONTEND = f"00-{TRACE}-00f067aa0ba902b7-01"
WEBHOOK = "webhook participant_joined"
TRIES = 5
UNDER_THE_TOKEN = {"CreateRoom", WEBHOOK, "look", "join"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Somebody who takes traces."""
    with Collector() as running:
        yield running


def process_of(span: Delivered) -> int:
    """Return the number of the process that made a span."""
    return int(span.resource["process.pid"])


def fetch_token(running: Deployment, room_name: str) -> str:
    """Fetch a token over a connection of its own, as a frontend that traces does."""
    answer = plain_http.post(
        f"{running.web_url}/token",
        json={"room_name": room_name, "participant_identity": "alice"},
        headers={"traceparent": FRONTEND},
        timeout=10,
    )
    assert 201 == answer.status
    return str(answer.json()["participant_token"])


def delivered(collector: Collector, name: str) -> Delivered:
    """Wait for the first span of this name."""
    wait_until(lambda: collector.named(name), within=SOON, what=name)
    return collector.named(name)[0]


def waited(running: Deployment, room_name: str) -> float:
    """Return the seconds from the human's join to the agent's, as LiveKit has them."""
    agent = running.agent(room_name)
    (human,) = {
        person.joined_at
        for person in running.rooms.list_participants(room_name)
        if person.participant_sid != agent.participant_sid
    }
    return (agent.joined_at - human).total_seconds()


def join_through_two(
    running: Deployment, collector: Collector, room_name: str, hears_webhooks: int
) -> tuple[str, int]:
    """Let somebody join whose token is of the other process; return the room and who heard."""
    for number in range(TRIES):
        collector.spans.clear()
        room = f"{room_name}-{number}"
        with stopped(hears_webhooks):
            token = fetch_token(running, room)
        running.enter(token)
        running.wait_for_one_agent(room)
        delivered(collector, "join")
        stopped_one, hears_webhooks = hears_webhooks, process_of(delivered(collector, WEBHOOK))
        if stopped_one == hears_webhooks:
            return room, hears_webhooks
        # LiveKit has opened one more connection, to the other, and takes the latest one again.
        running.humans.leave()
        running.end_room(room)
    raise AssertionError(f"the webhook came to whose the token is, {TRIES} times")


def test_a_join_is_one_trace_across_two_processes(
    collector: Collector, redeploy: Deploy, room_name: str
) -> None:
    """Where the second went: the token is one process's, the webhook and dispatch the other's."""
    running = redeploy(**collector.environ, WEB_CONCURRENCY="2")
    running.join("another-room")
    # A LiveKit with few rooms keeps its one connection to this one.
    hears_webhooks = process_of(delivered(collector, WEBHOOK))
    delivered(collector, "join")

    room, hears_webhooks = join_through_two(running, collector, room_name, hears_webhooks)

    join = delivered(collector, "join")
    asked, webhook = collector.named("token")[0], collector.named(WEBHOOK)[0]
    spans = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    looks = {span.span_id for span in spans if span.name == "look"}
    # A slow machine may have made another one beside it.
    dispatches = [span for span in spans if span.name == "CreateDispatch"]
    dispatch = min(dispatches, key=lambda span: span.began)
    assert UNDER_THE_TOKEN == {span.name for span in spans if span.parent_id == asked.span_id}
    assert (True, "a human waits and nothing is on its way") == (
        dispatch.parent_id in looks,
        dispatch.attributes["token_server.reason"],
    )
    assert set(processes(running.web)) == {process_of(asked), process_of(webhook)}
    assert (hears_webhooks, process_of(asked)) == (process_of(webhook), process_of(join))
    assert waited(running, room) == pytest.approx(join.ended - join.began, abs=0.002)


def test_a_collector_that_is_not_there_costs_a_line(redeploy: Deploy, room_name: str) -> None:
    """Traces are for looking; nobody's call may depend on them."""
    url = f"http://127.0.0.1:{free_port()}"
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TIMEOUT": "0.2"}
    running = redeploy(**environ, OTEL_BSP_SCHEDULE_DELAY="200", WEB_CONCURRENCY="1")
    for number in range(3):
        running.token(f"{room_name}-{number}")
        wait_until(lambda: "Traces" in running.web.output(), within=SOON, what="a line")

    began = time.monotonic()
    running.web.stop()

    assert 1 == running.web.output().count("Traces cannot be delivered")
    assert "Traceback" not in running.web.output()
    assert time.monotonic() - began < 10
