"""The simulated LiveKit of `make bench`, beyond what the contract suite asks of it."""

import pytest
from livekit.protocol import agent_dispatch
from livekit.protocol import room as room_protocol

from bench.simulated.replies import Refusal
from bench.simulated.simulation import Shape, Simulation
from bench.simulated.workers import Pool, Strike
from shared_settings.agent_signs import ALIVE_METHOD
from tests.model.clock import Clock
from tests.processes import API_KEY, API_SECRET

AGENT = "tutor"
RPC = "/twirp/livekit.RoomService/PerformRpc"
LIST_DISPATCH = "/twirp/livekit.AgentDispatchService/ListDispatch"


@pytest.fixture
def clock() -> Clock:
    """Time of a test's own."""
    return Clock()


@pytest.fixture
def simulation(clock: Clock) -> Simulation:
    """A LiveKit without webhooks, with one worker."""
    shape = Shape(
        api_key=API_KEY, api_secret=API_SECRET, webhook_url="", pool=Pool(agent_name=AGENT)
    )
    return Simulation(shape, clock.after)


def answer_of_agent(simulation: Simulation, method: str) -> str:
    """Ask the room's only agent; return the number of the error, "" if it answers."""
    (agent,) = simulation.rooms.agents("kitchen")
    request = room_protocol.PerformRpcRequest(
        room="kitchen", destination_identity=agent.participant_identity, method=method
    )
    what = simulation.methods[RPC].answer(request).what
    return what.msg.split()[1].strip(":") if isinstance(what, Refusal) else ""


def test_a_furnished_room_has_a_human_whom_nobody_has_to_attend(
    simulation: Simulation, clock: Clock
) -> None:
    """What is measured begins with rooms at rest."""
    simulation.furnish("kitchen")
    clock.run_for(1)

    assert ({}, 1, 1) == (
        simulation.waits.now_waiting,
        len(simulation.rooms.humans("kitchen")),
        simulation.waits.most_agents,
    )


def test_a_wait_ends_with_the_next_agent(simulation: Simulation, clock: Clock) -> None:
    """This is the figure that is measured."""
    simulation.furnish("kitchen")
    clock.run_for(1)

    simulation.workers.strike("kitchen", Strike.GO)
    assert {"kitchen"} == set(simulation.waits.now_waiting)
    simulation.rooms.create_dispatch("kitchen", simulation.order)
    clock.run_for(1)

    assert (1, {}) == (len(simulation.waits.over), simulation.waits.now_waiting)


@pytest.mark.parametrize(
    ("how", "to_loop", "to_transport", "is_listed_later"),
    [
        (None, "", "1400", True),
        (Strike.HANG, "1502", "1400", True),
        (Strike.KILL, "1502", "1502", False),
    ],
)
def test_a_dead_agent_answers_as_far_as_it_lives(  # noqa: PLR0913 (one case each)
    simulation: Simulation,
    clock: Clock,
    how: Strike | None,
    to_loop: str,
    to_transport: str,
    *,
    is_listed_later: bool,
) -> None:
    """A killed one is listed for 20 s yet (livekit-behaviour 47, 92)."""
    simulation.furnish("kitchen")
    clock.run_for(1)
    if how:
        simulation.workers.strike("kitchen", how)

    answers = [answer_of_agent(simulation, method) for method in (ALIVE_METHOD, "other")]
    clock.run_for(21)

    assert [to_loop, to_transport] == answers
    assert is_listed_later == bool(simulation.rooms.agents("kitchen"))


def test_a_job_is_offered_once(simulation: Simulation, clock: Clock) -> None:
    """Workers that are free later do not help (livekit-behaviour 22)."""
    simulation.workers.pool = Pool(agent_name=AGENT, capacity=0)
    simulation.rooms.create_dispatch("kitchen", simulation.order)
    simulation.workers.pool = Pool(agent_name=AGENT)
    clock.run_for(10)

    assert [] == simulation.rooms.agents("kitchen")


def test_a_job_is_listed_late(simulation: Simulation, clock: Clock) -> None:
    """The list is not the truth (livekit-behaviour 26)."""
    simulation.rooms.create_dispatch("kitchen", simulation.order)
    request = agent_dispatch.ListAgentDispatchRequest(room="kitchen")

    def jobs() -> int:
        found = simulation.methods[LIST_DISPATCH].answer(request).what
        assert isinstance(found, agent_dispatch.ListAgentDispatchResponse)
        return sum(len(dispatch.state.jobs) for dispatch in found.agent_dispatches)

    clock.run_for(0.6)
    before = len(simulation.rooms.agents("kitchen")), jobs()
    clock.run_for(2)

    assert ((1, 0), 1) == (before, jobs())


def test_a_room_ends_after_its_last_human_unless_one_is_back(
    simulation: Simulation, clock: Clock
) -> None:
    """Rooms come and go by themselves (livekit-behaviour 2)."""
    simulation.enter("kitchen")
    simulation.rooms.leave("kitchen", "human-of-kitchen")
    clock.run_for(19)
    simulation.enter("kitchen")
    clock.run_for(19)
    lasted = "kitchen" in simulation.rooms.rooms
    simulation.rooms.leave("kitchen", "human-of-kitchen")
    clock.run_for(21)

    assert (True, False) == (lasted, "kitchen" in simulation.rooms.rooms)


def test_an_agent_goes_with_its_dispatch_and_with_its_human(
    simulation: Simulation, clock: Clock
) -> None:
    """Two ways to be left over (livekit-behaviour 25, 61)."""
    for room_name in ("kitchen", "hall"):
        simulation.furnish(room_name)
    clock.run_for(1)

    for dispatch_id in list(simulation.rooms.rooms["kitchen"].dispatches):
        simulation.rooms.delete_dispatch("kitchen", dispatch_id)
    simulation.rooms.leave("hall", "human-of-hall")
    clock.run_for(4)

    assert ([], []) == (simulation.rooms.agents("kitchen"), simulation.rooms.agents("hall"))
