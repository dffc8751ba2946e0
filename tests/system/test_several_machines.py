"""The promise on two machines: over Redis, while Redis is dead, and when it is back."""

import asyncio
import itertools
import uuid
from collections.abc import Iterator
from functools import partial

import pytest
from google.protobuf import json_format
from livekit import api
from livekit.protocol.sip import SIPDispatchRuleInfo, SIPInboundTrunkInfo

from tests.exposition import series
from tests.processes import API_KEY, API_SECRET, wait_until
from tests.snippets import snippets
from tests.system.deployment import OPERATOR_KEY, SOON
from tests.system.machines import Machine, TwoMachines

pytestmark = pytest.mark.live

KEY = {"Authorization": f"Bearer {OPERATOR_KEY}"}
SILENT = "Redis does not answer"
BACK = "Redis answers again"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoMachines]:
    """Two machines; the tests of this file leave them as they were."""
    with TwoMachines(tmp_path_factory.mktemp("machines")) as started:
        yield started


@pytest.fixture
def two(running: TwoMachines) -> Iterator[TwoMachines]:
    """Two machines that nobody is on."""
    yield running
    running.leave()


def join_by_every_way(two: TwoMachines) -> list[tuple[Machine, str]]:
    """Let a human join for each pair of a token's machine and a node; return where they are."""
    joined = []
    for at_web, at_node in itertools.product(two.machines, repeat=2):
        room_name = f"room-{uuid.uuid4().hex[:12]}"
        at_node.enter(at_web.token(room_name))
        joined.append((at_node, room_name))
    return joined


def wait_for_one_agent_each(joined: list[tuple[Machine, str]]) -> None:
    """Wait until everybody has exactly one; the humans see whether it stays so."""

    def has_one_each() -> bool:
        return all(len(machine.agents(room_name)) == 1 for machine, room_name in joined)

    wait_until(has_one_each, within=2 * SOON, what="one agent for each human")


def test_a_human_gets_one_agent_through_either_node_and_web(two: TwoMachines) -> None:
    """And the workers are asked once: the webs do not send two and take one back."""
    joined = join_by_every_way(two)

    wait_for_one_agent_each(joined)

    assert all(1 in two.jobs_wanted(room_name) for _, room_name in joined)


def test_each_machine_shows_what_all_have_done(two: TwoMachines) -> None:
    """The token came from one, the dispatch perhaps from the other."""
    joined = join_by_every_way(two)
    wait_for_one_agent_each(joined)

    def is_known(machine: Machine, room_name: str) -> bool:
        shown = machine.http.get(f"/rooms/{room_name}", headers=KEY).json()["timeline"]
        noted = [entry["event"] for entry in shown if "process" in entry]
        once = {"room_ready", "token_issued", "joined", "dispatched", "agent_joined"}
        return [noted.count(event) for event in sorted(once)] == [1] * len(once)

    for machine, (_, room_name) in itertools.product(two.machines, joined):
        wait_until(partial(is_known, machine, room_name), within=SOON, what=room_name)


def test_each_room_is_looked_after_by_one_process_of_all(two: TwoMachines) -> None:
    """What two do LiveKit is asked twice."""
    wait_for_one_agent_each(join_by_every_way(two))

    def is_shared_out() -> bool:
        shown = [
            machine.http.get("/metrics", headers=KEY).data.decode() for machine in two.machines
        ]
        live = len(two.machines[0].rooms.list_rooms())
        return live == sum(series(text)["rooms_swept"] for text in shown)

    wait_until(is_shared_out, within=2 * SOON, what="as many rooms as LiveKit lists")


def is_alerted(machine: Machine) -> bool:
    """Whether what the alert watches says that a machine misses Redis."""
    return series(machine.http.get("/metrics", headers=KEY).data.decode())["redis_unavailable"] == 1


def test_without_redis_everybody_still_gets_one_agent_and_the_log_says_it_once(
    two: TwoMachines,
) -> None:
    """Locks save work and decide nothing."""
    two.redis.kill()
    try:
        joined = join_by_every_way(two)
        wait_for_one_agent_each(joined)
        during = [machine.readiness() for machine in two.machines]
        wait_until(lambda: all(map(is_alerted, two.machines)), within=5, what="a metric says so")
    finally:
        two.redis.start()
    wait_until(lambda: all(m.said(BACK) for m in two.machines), within=10, what="Redis is noticed")
    wait_until(two.members, within=15, what="Redis is used again")
    wait_until(lambda: not any(map(is_alerted, two.machines)), within=10, what="all know it")
    joined += join_by_every_way(two)

    wait_for_one_agent_each(joined)

    after = [machine.readiness() for machine in two.machines]
    assert ([(200, "unavailable")] * 2, [(200, "ready")] * 2) == (during, after)
    assert [(1, 1)] * 2 == [(m.said(SILENT), m.said(BACK)) for m in two.machines]
    assert all(1 in two.jobs_wanted(room_name) for _, room_name in joined[4:])


def test_a_machine_that_dies_leaves_no_lock_behind(two: TwoMachines) -> None:
    """What it held ends by itself, others have its share: nobody needs to know of Redis' keys."""
    dead = wait_until(two.members, within=15, what="all have met")
    for machine in two.machines:
        machine.kill_web()

    for machine in two.machines:
        machine.start_web()

    def are_others() -> bool:
        return bool(two.members()) and not two.members() & dead

    wait_until(are_others, within=15, what="only those are met that live")
    wait_for_one_agent_each(join_by_every_way(two))


def test_a_livekit_with_redis_takes_the_trunk_and_the_rule_of_the_phone_page(
    running: TwoMachines,
) -> None:
    """Phones need one, and these are the only ones here; what is refused would be found last."""
    trunk, rule = snippets("docs/phone.md", "json")

    async def create() -> tuple[SIPInboundTrunkInfo, SIPDispatchRuleInfo]:
        url = running.machines[0].livekit.url
        async with api.LiveKitAPI(url, API_KEY, API_SECRET) as livekit:
            return (
                await livekit.sip.create_inbound_trunk(
                    json_format.Parse(trunk.text, api.CreateSIPInboundTrunkRequest())
                ),
                await livekit.sip.create_dispatch_rule(
                    json_format.Parse(rule.text, api.CreateSIPDispatchRuleRequest())
                ),
            )

    taken, ruled = asyncio.run(create())

    assert (30, 1) == (taken.ringing_timeout.seconds, len(ruled.room_config.agents))
    assert ("ST_", "SDR_") == (taken.sip_trunk_id[:3], ruled.sip_dispatch_rule_id[:4])
