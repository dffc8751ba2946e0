"""The simulated LiveKit of `make bench`, beyond what the contract suite asks of it."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from math import inf

import pytest
from livekit.protocol import agent_dispatch
from livekit.protocol import room as room_protocol

from bench.figures import Row, Section, number
from bench.pages import with_tables
from bench.simulated.door import Door
from bench.simulated.listing import Listing
from bench.simulated.measure import Step, Use
from bench.simulated.outlook import Measured, Need, need
from bench.simulated.replies import Refusal
from bench.simulated.shares import Shares
from bench.simulated.simulation import Shape, Simulation
from bench.simulated.table import to_grown, to_replaced, to_shared
from bench.simulated.told import Told
from bench.simulated.workers import Pool, Strike
from shared_settings.agent_signs import ALIVE_METHOD
from tests.processes import API_KEY, API_SECRET
from token_server.livekit.admin_tokens import admin_token
from token_server.livekit.port import Participant, ParticipantKind, Room

AGENT = "tutor"
RPC = "/twirp/livekit.RoomService/PerformRpc"
LIST_DISPATCH = "/twirp/livekit.AgentDispatchService/ListDispatch"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it once time has passed."""
        self._due.append((self.now + seconds, do))

    def pass_time(self, seconds: float) -> None:
        """Let it pass."""
        self.now += seconds
        while ready := [item for item in self._due if item[0] <= self.now]:
            first = min(ready, key=lambda item: item[0])
            self._due.remove(first)
            first[1]()


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
    return Simulation(shape, clock.later)


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
    clock.pass_time(1)

    assert ({}, 1, 1) == (
        simulation.waits.now_waiting,
        len(simulation.rooms.humans("kitchen")),
        simulation.waits.most_agents,
    )


def test_a_wait_ends_with_the_next_agent(simulation: Simulation, clock: Clock) -> None:
    """This is the figure that is measured."""
    simulation.furnish("kitchen")
    clock.pass_time(1)

    simulation.workers.strike("kitchen", Strike.GO)
    assert {"kitchen"} == set(simulation.waits.now_waiting)
    simulation.rooms.create_dispatch("kitchen", simulation.order)
    clock.pass_time(1)

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
    clock.pass_time(1)
    if how:
        simulation.workers.strike("kitchen", how)

    answers = [answer_of_agent(simulation, method) for method in (ALIVE_METHOD, "other")]
    clock.pass_time(21)

    assert [to_loop, to_transport] == answers
    assert is_listed_later == bool(simulation.rooms.agents("kitchen"))


def test_a_job_is_offered_once(simulation: Simulation, clock: Clock) -> None:
    """Workers that are free later do not help (livekit-behaviour 22)."""
    simulation.workers.pool = Pool(agent_name=AGENT, capacity=0)
    simulation.rooms.create_dispatch("kitchen", simulation.order)
    simulation.workers.pool = Pool(agent_name=AGENT)
    clock.pass_time(10)

    assert [] == simulation.rooms.agents("kitchen")


def test_a_job_is_listed_late(simulation: Simulation, clock: Clock) -> None:
    """The list is not the truth (livekit-behaviour 26)."""
    simulation.rooms.create_dispatch("kitchen", simulation.order)
    request = agent_dispatch.ListAgentDispatchRequest(room="kitchen")

    def jobs() -> int:
        found = simulation.methods[LIST_DISPATCH].answer(request).what
        assert isinstance(found, agent_dispatch.ListAgentDispatchResponse)
        return sum(len(dispatch.state.jobs) for dispatch in found.agent_dispatches)

    clock.pass_time(0.6)
    before = len(simulation.rooms.agents("kitchen")), jobs()
    clock.pass_time(2)

    assert ((1, 0), 1) == (before, jobs())


def test_a_room_ends_after_its_last_human_unless_one_is_back(
    simulation: Simulation, clock: Clock
) -> None:
    """Rooms come and go by themselves (livekit-behaviour 2)."""
    simulation.enter("kitchen")
    simulation.rooms.leave("kitchen", "human-of-kitchen")
    clock.pass_time(19)
    simulation.enter("kitchen")
    clock.pass_time(19)
    lasted = "kitchen" in simulation.rooms.rooms
    simulation.rooms.leave("kitchen", "human-of-kitchen")
    clock.pass_time(21)

    assert (True, False) == (lasted, "kitchen" in simulation.rooms.rooms)


def test_an_agent_goes_with_its_dispatch_and_with_its_human(
    simulation: Simulation, clock: Clock
) -> None:
    """Two ways to be left over (livekit-behaviour 25, 61)."""
    for room_name in ("kitchen", "hall"):
        simulation.furnish(room_name)
    clock.pass_time(1)

    for dispatch_id in list(simulation.rooms.rooms["kitchen"].dispatches):
        simulation.rooms.delete_dispatch("kitchen", dispatch_id)
    simulation.rooms.leave("hall", "human-of-hall")
    clock.pass_time(4)

    assert ([], []) == (simulation.rooms.agents("kitchen"), simulation.rooms.agents("hall"))


def test_rooms_are_counted_late() -> None:
    """A human is counted at the next of LiveKit's counts, every 5 s (livekit-behaviour 6)."""
    clock = Clock()
    listing = Listing(lambda: clock.now)
    now = datetime.now(UTC)
    listing.room_began(Room(room_name="kitchen", room_sid="RM_1", created_at=now))
    human = Participant(
        participant_identity="alice",
        participant_sid="PA_1",
        kind=ParticipantKind.HUMAN,
        joined_at=now,
    )
    clock.pass_time(3)
    listing.changed("kitchen", human, is_here=True)

    def counted() -> list[int]:
        clock.pass_time(1)
        return [room.num_participants for room in listing.answer(()).rooms]

    assert [[0], [1], [1]] == [counted() for _ in range(3)]


def token(secret: str = API_SECRET, key: str = API_KEY, **grants: bool | str) -> str:
    """Return the header of a request."""
    return f"Bearer {admin_token(key, secret, datetime.now(UTC), grants)}"


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        (token(secret="another-secret-of-more-than-thirty-two-bytes"), "invalid token: "),
        (token(key="another"), "invalid API key"),
        ("", "invalid token: "),
        (token(roomAdmin=True, room="hall"), "permissions denied"),
        (token(roomList=True), "permissions denied"),
    ],
)
def test_who_may_not_ask_is_refused_as_livekit_does(authorization: str, words: str) -> None:
    """The doctor knows it by these words (livekit-behaviour 81)."""
    refusal = Door(API_KEY, API_SECRET).refusal(authorization, "roomAdmin", "kitchen")

    assert refusal
    assert (401, True) == (refusal.status, refusal.msg.startswith(words))


def test_beyond_the_quota_requests_are_refused_for_a_minute() -> None:
    """LiveKit Cloud counts by the minute (livekit-behaviour 100)."""
    clock = Clock()
    door = Door(API_KEY, API_SECRET, lambda: clock.now)
    door.quota = 2
    authorization = token(roomList=True)

    def statuses(times: int) -> list[int]:
        refusals = [door.refusal(authorization, "roomList", "") for _ in range(times)]
        return [refusal.status if refusal else 200 for refusal in refusals]

    first = statuses(3)
    clock.pass_time(61)

    assert ([200, 200, 429], [200]) == (first, statuses(1))


def test_who_looks_at_which_room_is_known_by_the_proxy_that_they_think_we_are() -> None:
    """Two groups of processes ask with the same key."""
    clock = Clock()
    told = Told(lambda: clock.now)
    one, two = (f"Basic {base64.b64encode(f'{who}:x'.encode()).decode()}" for who in ("a", "b"))
    told.asked("ListParticipants", "kitchen", one)
    clock.pass_time(5)
    told.asked("PerformRpc", "hall", two)
    told.asked("ListRooms", "", two)

    assert {"a": [], "b": ["hall"]} == told.looked_since(clock.now - 1)


def test_what_more_rooms_need_grows_as_it_was_measured() -> None:
    """Each process lists all rooms; everything else is shared among them."""
    measured = Measured(
        rooms=5_000,
        processes=2,
        cores=0.8,
        memory_mib=300,
        memory_mib_empty=100,
        calls={"ListRooms": 0.4, "ListParticipants": 200, "PerformRpc": 600},
        redis_per_process=5,
        redis_per_look=2,
        seconds=15,
    )

    assert Need(
        rooms=100_000,
        processes=40,
        cores=16,
        memory_mib=6_000,
        calls_per_second=16_008,
        redis_commands=8_200,
        seconds=15,
    ) == need(100_000, measured)


def test_a_table_in_another_page_is_replaced_and_nothing_else() -> None:
    """Figures in a page go stale unless something writes them."""
    page = "before\n<!-- bench: outlook -->\nold\n<!-- end of bench -->\nafter\n"
    section = Section(
        key="outlook",
        title="t",
        how="h",
        columns=("s",),
        rows=(Row(what="5 rooms", cells=(number(7),)),),
    )

    written = with_tables(page, [section])

    assert written.startswith("before\n<!-- bench: outlook -->\n\n|  | s |\n")
    assert written.endswith("| 5 rooms | 7 |\n\n<!-- end of bench -->\nafter\n")
    assert written == with_tables(written, [section])
    assert page == with_tables(page, [])


def step(rooms: int, *gone: float, cpu: float = 80.0) -> Step:
    """Return what so many rooms cost."""
    calls = {"ListParticipants": 50.0, "PerformRpc": 100.0, "ListRooms": 0.2}
    use = Use(cpu_percent=cpu, memory_mib=100 + rooms / 100, calls=calls, livekit_percent=5.0)
    return Step(rooms=rooms, use=use, gone=gone, killed=gone, unattended=0, most_agents=1)


def test_each_number_of_rooms_is_held_to_its_own_bar() -> None:
    """5,000 rooms within 20 s and one core, 1,000 within 6 s."""
    section = to_replaced(
        [step(100, 3.0), step(1_000, 5.0, 7.0), step(5_000, 9.0, 12.0, cpu=140.0)], 2, 10.0
    )

    held = {row.what: row.held.holds for row in section.rows if row.held}
    assert {
        "1,000 rooms, gone": False,
        "5,000 rooms, gone": True,
        "5,000 rooms, CPU": False,
    } == held
    assert "10.2 KiB" in [cell.text for cell in section.rows[-1].cells]


@pytest.mark.parametrize(
    ("looked", "taken_over", "holds"),
    [((450, 550), 4.0, [True, True]), ((1_000, 0), inf, [False, False])],
)
def test_shares_are_held_to_both_bars(
    looked: tuple[int, int], taken_over: float, holds: list[bool]
) -> None:
    """Half of the rooms each, and all of them soon after the other has died."""
    shares = Shares(
        rooms=1_000,
        looked=looked,
        use=step(1_000).use,
        redis_commands=120.0,
        redis_commands_idle=20.0,
        taken_over=taken_over,
    )

    assert holds == [row.held.holds for row in to_shared(shares).rows if row.held]
    assert (5.0, 2.0) == (shares.redis_per_process, shares.redis_per_look)
    assert "100,000 rooms, calculated" == to_grown([step(5_000, 1.0)], shares).rows[-1].what
