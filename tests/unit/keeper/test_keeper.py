import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from tests.exposition import counted
from tests.fakes import FakeLiveKit
from tests.lives import unasked
from tests.processes import wait_until
from token_server.errors import KeeperStuckError, LiveKitRefusedRequestError
from token_server.keeper.keeper import Keeper
from token_server.keeper.look_at_room import Looker
from token_server.keeper.observed_room import LookReport
from token_server.keeper.schedule import LOOKERS
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import AgentOrder, Participant, ParticipantKind, Room
from token_server.state.machine_state import MachineState
from token_server.state.webhook_signs import Sign
from token_server.telemetry.metrics import Metrics
from token_server.telemetry.turns import LOOPS, STUCK_AFTER
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SEALER = TicketSealer("a-made-up-secret-of-more-than-thirty-two-bytes")
ORDER = AgentOrder(agent_name="voice-agent")
POLICY = Policy(agent_names=("voice-agent",), attend_rooms=("phone-*",))
LAST_TURN = 'last_turn_timestamp_seconds{{loop="{}"}}'
ONLY_LOOKS = "The keeper is stuck: no turn of look for 30 s"
TICKET = SEALER.seal(Ticket("room", "alice", ORDER))


class MovingLiveKit(FakeLiveKit):
    """A LiveKit that can also refuse one room's name, or answer with a bug of ours."""

    is_broken = False
    refused = ""
    refusals = 0

    def __init__(self) -> None:
        super().__init__()
        # Whoever holds it keeps every look waiting.
        self.held, self.waiting = threading.Lock(), 0

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        """Answer, or break."""
        if self.is_broken:
            self.calls.append("broken sweep")
            raise ZeroDivisionError
        return super().list_rooms(room_names)

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        """Answer, or break."""
        if self.is_broken:
            self.calls.append("broken")
            raise ZeroDivisionError
        self.waiting += 1
        with self.held:
            self.waiting -= 1
        if room_name == self.refused:
            self.refusals += 1
            raise LiveKitRefusedRequestError("invalid_argument")
        return super().list_participants(room_name)


class BrokenState(MachineState):
    """What is shared, with a bug of ours."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.beats = 0

    def beat(self) -> None:
        """Break."""
        self.beats += 1
        raise ZeroDivisionError


class ForgetfulState(MachineState):
    """What is shared, where a bug of ours forgets when the last webhook came."""

    is_broken = False

    def webhook_last_arrived(self, sign: Sign = Sign.ANY) -> float:
        """Answer, or break."""
        if self.is_broken:
            raise ZeroDivisionError
        return super().webhook_last_arrived(sign)


class Clock:
    """Seconds that can be made to pass."""

    ahead = 0.0

    def __call__(self) -> float:
        """Tell them."""
        return time.monotonic() + self.ahead


@pytest.fixture
def rooms() -> MovingLiveKit:
    """An empty LiveKit."""
    return MovingLiveKit()


def keeper_of(
    rooms: FakeLiveKit,
    folder: Path,
    build_state: Callable[[Path], MachineState] = MachineState,
    metrics: Metrics | None = None,
) -> Keeper:
    """Build a keeper of one process, on a machine whose processes share the folder."""
    machine = build_state(folder)
    looker = Looker(rooms, machine, SEALER, POLICY, unasked(rooms))
    return Keeper(
        rooms,
        looker,
        unasked(rooms),
        machine,
        metrics or Metrics(CollectorRegistry()),
        attend_rooms=POLICY.attend_rooms,
    )


def is_stuck(keeper: Keeper) -> str:
    """Return what is wrong with a keeper; nothing if it is alive."""
    try:
        keeper.check_alive()
    except KeeperStuckError as error:
        return str(error)
    return ""


@pytest.fixture
def keeper(rooms: MovingLiveKit, tmp_path: Path) -> Iterator[Keeper]:
    """A keeper that runs."""
    running = keeper_of(rooms, tmp_path)
    running.start()
    yield running
    running.stop()


def looks_of(metrics: Metrics, outcome: str) -> float:
    """Return how many looks have ended so."""
    return counted(metrics).get(f'looks_total{{outcome="{outcome}"}}', 0.0)


def heard_callers(metrics: Metrics) -> float:
    """Return how many callers on a phone have heard an agent."""
    return counted(metrics).get("phone_join_to_heard_seconds_count", 0.0)


def join(rooms: FakeLiveKit, room_name: str = "room") -> Participant:
    """Let alice, who has our token, join."""
    ticket = TICKET if room_name == "room" else SEALER.seal(Ticket(room_name, "alice", ORDER))
    return rooms.join(room_name, "alice", {TICKET_ATTRIBUTE: ticket})


def wait_for_dispatch(rooms: FakeLiveKit, count: int = 1) -> None:
    """Wait until so many agents have been sent."""
    wait_until(lambda: len(rooms.created) >= count, within=10, what="a dispatch")


def test_a_webhook_leads_to_a_dispatch(rooms: MovingLiveKit, keeper: Keeper) -> None:
    """The fast path."""
    keeper.participant_changed("room", join(rooms), is_here=True)

    wait_for_dispatch(rooms)


def test_a_followed_room_needs_no_webhook(rooms: MovingLiveKit, keeper: Keeper) -> None:
    """LiveKit Cloud cannot reach a developer's machine (livekit-behaviour 54)."""
    rooms.join("room", "bob")
    room = rooms.rooms["room"].room
    keeper.follow(room, TICKET, 60, is_new=True)
    looks = rooms.calls.count("list_participants")
    wait_until(lambda: rooms.calls.count("list_participants") > looks, within=5, what="a look")

    join(rooms)

    wait_for_dispatch(rooms)


def test_a_token_whose_human_waits_for_nobody_is_counted(
    rooms: MovingLiveKit, tmp_path: Path
) -> None:
    """As any other; there is nothing to look for."""
    metrics = Metrics(CollectorRegistry())

    keeper_of(rooms, tmp_path, metrics=metrics).token_issued()

    assert (1.0, []) == (counted(metrics)["tokens_issued_total"], rooms.calls)


def test_the_first_sweep_finds_who_waits_already(rooms: MovingLiveKit, tmp_path: Path) -> None:
    """A token server that was down at the join."""
    join(rooms)
    keeper = keeper_of(rooms, tmp_path)

    keeper.start()

    wait_for_dispatch(rooms)
    keeper.stop()


def test_two_processes_of_a_machine_share_the_rooms(rooms: MovingLiveKit, tmp_path: Path) -> None:
    """What both do LiveKit is asked twice."""
    for number in range(30):
        rooms.join(f"room-{number}", "somebody")
    metrics = [Metrics(CollectorRegistry()) for _ in range(2)]
    keepers = [keeper_of(rooms, tmp_path, metrics=each) for each in metrics]
    for keeper in keepers:
        keeper.start()

    def shares() -> list[float]:
        return [counted(each).get("rooms_swept", 0) for each in metrics]

    wait_until(lambda: sum(shares()) == 30 and min(shares()) > 5, within=10, what="two shares")
    keepers[0].stop()
    wait_until(lambda: shares()[1] == 30, within=10, what="who stops leaves its rooms")
    keepers[1].stop()


def test_an_agent_that_left_is_known_from_its_webhook(rooms: MovingLiveKit, keeper: Keeper) -> None:
    """This process had never looked: the webhook says that the dispatch is spent."""
    join(rooms)
    rooms.create_dispatch("room", ORDER)
    rooms.take_job("room")
    rooms.pass_time(seconds=1)
    agent = rooms.join_agent("room", "voice-agent")
    rooms.leave("room", agent.participant_identity)

    keeper.participant_changed("room", agent, is_here=False)

    wait_for_dispatch(rooms, count=2)


class UncountedLiveKit(MovingLiveKit):
    """A LiveKit that has not counted anybody yet, as for the first 5 s of a room."""

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        """List rooms that seem empty."""
        return [replace(room, num_participants=0) for room in super().list_rooms(room_names)]


def test_a_phone_caller_is_found_soon_without_webhooks(tmp_path: Path) -> None:
    """Nobody has fetched a token for them, and their room seems empty."""
    rooms = UncountedLiveKit()
    keeper = keeper_of(rooms, tmp_path)
    keeper.start()
    wait_until(lambda: "list_rooms" in rooms.calls, within=5, what="a sweep")
    rooms.join("phone-1", "sip_+4930123456", is_phone=True)
    rung_at = time.monotonic()

    wait_for_dispatch(rooms)

    took = time.monotonic() - rung_at
    keeper.stop()
    assert took < 3


class UnlistedLiveKit(MovingLiveKit):
    """A LiveKit that lists no rooms: no sweep looks at one."""

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        """Return none."""
        super().list_rooms(room_names)
        return []


def ring(rooms: FakeLiveKit, agent_identity: str) -> tuple[Participant, Participant]:
    """Let somebody call; their agent is there, and about to speak."""
    caller = rooms.join("phone-1", "sip_+4930123456", is_phone=True)
    return caller, rooms.join_agent("phone-1", "voice-agent", agent_identity)


class PatientLooker(Looker):
    """Looks that never ask to be repeated."""

    def look(self, room_name: str) -> LookReport:
        """Look."""
        return replace(super().look(room_name), again_in=None)


def test_an_agent_that_is_heard_in_a_room_that_waits_is_looked_at_now(tmp_path: Path) -> None:
    """The phone has stopped ringing; whatever its worker calls the agent."""
    rooms, metrics, machine = (
        UnlistedLiveKit(),
        Metrics(CollectorRegistry()),
        MachineState(tmp_path),
    )
    looker = PatientLooker(rooms, machine, SEALER, POLICY, unasked(rooms))
    keeper = Keeper(rooms, looker, unasked(rooms), machine, metrics)
    keeper.start()
    caller, agent = ring(rooms, "somebody")
    keeper.participant_changed("phone-1", caller, is_here=True)
    wait_until(lambda: looks_of(metrics, "done") > 0, within=5, what="a look")
    rooms.publish_audio("phone-1", "somebody")

    keeper.track_published("phone-1", agent)

    wait_until(lambda: heard_callers(metrics) == 1, within=5, what="a caller who hears")
    keeper.stop()
    assert [] == rooms.created


def test_an_agent_that_is_heard_where_another_process_looks_is_looked_at_now(
    tmp_path: Path,
) -> None:
    """The webhooks before this one have reached that process."""
    rooms, metrics = UnlistedLiveKit(), Metrics(CollectorRegistry())
    keeper = keeper_of(rooms, tmp_path, metrics=metrics)
    keeper.start()
    _, agent = ring(rooms, "agent-voice-agent-AJ_1")
    rooms.publish_audio("phone-1", agent.participant_identity)

    keeper.track_published("phone-1", agent)

    wait_until(lambda: heard_callers(metrics) == 1, within=5, what="a caller who hears")
    keeper.stop()


def test_a_track_in_a_room_that_does_not_wait_is_not_looked_at(tmp_path: Path) -> None:
    """Cameras and screens are published all the time."""
    rooms, metrics = UnlistedLiveKit(), Metrics(CollectorRegistry())
    keeper = keeper_of(rooms, tmp_path, metrics=metrics)
    keeper.start()
    human, agent = join(rooms), rooms.join_agent("room", "voice-agent")
    keeper.participant_changed("room", human, is_here=True)
    wait_until(lambda: looks_of(metrics, "done") == 1, within=5, what="a look")

    for participant in (human, agent):
        keeper.track_published("room", participant)
    keeper.participant_changed("kitchen", join(rooms, "kitchen"), is_here=True)

    wait_until(lambda: looks_of(metrics, "waiting") > 0, within=5, what="a look at another room")
    keeper.stop()
    assert 1 == looks_of(metrics, "done")


def test_a_recorder_that_comes_is_not_looked_at(rooms: MovingLiveKit, keeper: Keeper) -> None:
    """Webhooks tell of egress too."""
    egress = rooms.join("other", "egress", kind=ParticipantKind.OTHER)
    keeper.participant_changed("other", egress, is_here=True)

    keeper.participant_changed("room", join(rooms), is_here=True)

    wait_for_dispatch(rooms)
    assert [("room", ORDER)] == rooms.created


def said(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    """Return the log's lines that begin so."""
    return [vars(line) for line in caplog.records if line.getMessage().startswith(message)]


def test_livekit_that_is_gone_is_logged_once_and_repaired_when_back(
    rooms: MovingLiveKit, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a line a look, unless asked for; and an error never ends the watch of a room."""
    caplog.set_level(logging.DEBUG, "token_server")
    rooms.is_down = True
    for room_name in ("room", "kitchen", "bedroom", "hall"):
        keeper.participant_changed(room_name, join(rooms, room_name), is_here=True)
    wait_until(lambda: rooms.calls.count("list_participants") > 5, within=10, what="a retry")
    rooms.is_down = False

    wait_for_dispatch(rooms, count=4)
    (silent,) = said(caplog, "Rooms cannot be looked at")
    assert ("WARNING", 1, []) == (
        silent["levelname"],
        len(said(caplog, "Rooms can be looked at again")),
        said(caplog, "A room cannot be looked at"),
    )
    failed = {(line["levelname"], line["room"]) for line in said(caplog, "A look failed")}
    assert {("DEBUG", name) for name in ("room", "kitchen", "bedroom", "hall")} == failed


def test_a_room_that_fails_by_itself_is_named_once_and_livekit_is_not_called_silent(
    rooms: MovingLiveKit, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """LiveKit refuses its name; the others are attended, and nobody is woken for LiveKit."""
    rooms.refused = "refused"
    human = join(rooms, "refused")
    keeper.participant_changed("refused", human, is_here=True)
    wait_until(lambda: said(caplog, "A room cannot"), within=10, what="the room is named")
    for number in range(3):
        keeper.participant_changed("refused", human, is_here=True)
        wait_until(lambda: rooms.refusals > 3 + number, within=5, what="another look")  # noqa: B023

    keeper.participant_changed("room", join(rooms), is_here=True)

    wait_for_dispatch(rooms)
    (named,) = said(caplog, "A room cannot be looked at")
    assert ("WARNING", "refused", []) == (
        named["levelname"],
        named["room"],
        said(caplog, "Rooms cannot"),
    )


def test_too_many_requests_are_no_silence_of_livekits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who sees to LiveKit's log would find nothing there; and no room has failed by itself."""
    caplog.set_level(logging.INFO, "token_server")
    rooms = FakeLiveKit()
    rooms.busy_with = {"list_rooms", "list_participants"}
    keeper = keeper_of(rooms, tmp_path)
    keeper.start()
    for room_name in ("room", "kitchen", "bedroom", "hall"):
        keeper.participant_changed(room_name, join(rooms, room_name), is_here=True)
    asked = rooms.calls.count
    wait_until(lambda: asked("list_participants") > 11, within=10, what="a third try")
    rooms.busy_with = set()

    wait_for_dispatch(rooms, count=4)
    keeper.stop()
    assert [] == [line.getMessage() for line in caplog.records if "be looked at" in line.message]


def test_a_sweep_that_fails_is_livekits_silence(
    rooms: MovingLiveKit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is in any room, and an operator sees all the same that LiveKit does not answer."""
    caplog.set_level(logging.INFO, "token_server")
    rooms.is_down = True
    keeper = keeper_of(rooms, tmp_path)
    keeper.start()
    wait_until(lambda: rooms.calls.count("list_rooms") > 1, within=10, what="another sweep")

    rooms.is_down = False

    wait_until(lambda: said(caplog, "Rooms can be looked"), within=10, what="it is back")
    keeper.stop()
    assert 1 == len(said(caplog, "Rooms cannot be looked at"))


def test_a_bug_in_a_look_does_not_end_the_looking(
    rooms: MovingLiveKit, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread that dies would leave the rooms to nobody."""
    rooms.is_broken = True
    keeper.participant_changed("room", join(rooms), is_here=True)
    wait_until(lambda: "broken" in rooms.calls, within=5, what="the bug")
    rooms.is_broken = False

    wait_for_dispatch(rooms)
    failed = [vars(record) for record in caplog.records if record.getMessage() == "A look failed"]
    assert {("ERROR", "room")} == {(line["levelname"], line["room"]) for line in failed}


def test_a_bug_in_a_sweep_does_not_end_the_sweeping(
    rooms: MovingLiveKit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody would notice, until webhooks are lost."""
    rooms.is_broken = True
    join(rooms)
    keeper = keeper_of(rooms, tmp_path)
    keeper.start()
    wait_until(lambda: "broken sweep" in rooms.calls, within=5, what="the bug")

    rooms.is_broken = False

    wait_for_dispatch(rooms)
    keeper.stop()
    assert {"sweep"} == {line["loop"] for line in said(caplog, "The keeper's loop has died")}


def test_a_bug_in_a_beat_does_not_end_the_beating(
    rooms: MovingLiveKit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every lock of this process would be lost."""
    state = BrokenState(tmp_path)
    keeper = keeper_of(rooms, tmp_path, lambda _: state)

    keeper.start()

    wait_until(lambda: state.beats > 1, within=5, what="another beat")
    keeper.stop()
    assert {"beat"} == {line["loop"] for line in said(caplog, "The keeper's loop has died")}


class DyingLooker(Looker):
    """Looks of which the first four end their threads."""

    deaths = 4

    def look(self, room_name: str) -> LookReport:
        """Die, or look."""
        if self.deaths > 0:
            self.deaths -= 1
            raise SystemExit(1)
        return super().look(room_name)


def test_looks_that_end_their_threads_do_not_end_the_looking(
    rooms: MovingLiveKit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All four have died once, and every human has their agent."""
    metrics, machine = Metrics(CollectorRegistry()), MachineState(tmp_path)
    looker = DyingLooker(rooms, machine, SEALER, POLICY, unasked(rooms))
    keeper = Keeper(rooms, looker, unasked(rooms), machine, metrics)
    keeper.start()

    for number in range(4):
        keeper.participant_changed(f"room-{number}", join(rooms, f"room-{number}"), is_here=True)

    wait_for_dispatch(rooms, count=4)
    keeper.stop()
    assert 4.0 == counted(metrics)['loop_deaths_total{loop="look"}']
    assert 4 == len(said(caplog, "The keeper's loop has died and is started again"))


def test_a_webhooks_time_that_cannot_be_known_does_not_end_the_looking(
    rooms: MovingLiveKit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The schedule asks for it under the lock of all lookers, outside of any look."""
    state = ForgetfulState(tmp_path)
    keeper = keeper_of(rooms, tmp_path, lambda _: state)
    keeper.start()
    rooms.join("room", "bob")
    keeper.follow(rooms.rooms["room"].room, TICKET, 60, is_new=False)
    state.is_broken = True

    def died() -> set[object]:
        return {line["loop"] for line in said(caplog, "The keeper's loop has died")}

    wait_until(lambda: "look" in died(), within=10, what="a death")
    state.is_broken = False

    keeper.participant_changed("kitchen", join(rooms, "kitchen"), is_here=True)

    wait_for_dispatch(rooms)
    keeper.stop()
    # The sweep asks for it too.
    assert died() <= {"look", "sweep"}


def test_a_keeper_that_turns_is_alive_and_idle_too(rooms: MovingLiveKit, tmp_path: Path) -> None:
    """Whoever restarts what is stuck leaves it alone, LiveKit's silence or not."""
    metrics = Metrics(CollectorRegistry())
    rooms.is_down = True
    keeper = keeper_of(rooms, tmp_path, metrics=metrics)
    keeper.start()

    def turned() -> dict[str, float]:
        shown = counted(metrics)
        return {loop: shown.get(LAST_TURN.format(loop), 0.0) for loop in LOOPS}

    wait_until(lambda: all(turned().values()), within=5, what="first turns")
    first = turned()
    wait_until(
        lambda: all(now > first[loop] for loop, now in turned().items()),
        within=10,
        what="each loop turns again",
    )

    keeper.check_alive()
    keeper.stop()


def test_a_keeper_none_of_whose_looks_ends_is_stuck(rooms: MovingLiveKit, tmp_path: Path) -> None:
    """All threads that look wait for what never comes; it says which loop it is."""
    clock = Clock()
    metrics = Metrics(CollectorRegistry(), clock=clock)
    keeper = keeper_of(rooms, tmp_path, metrics=metrics)
    keeper.start()
    wait_until(lambda: LAST_TURN.format("beat") in counted(metrics), within=5, what="a turn")
    with rooms.held:
        for number in range(LOOKERS):
            room_name = f"room-{number}"
            keeper.participant_changed(room_name, join(rooms, room_name), is_here=True)
        wait_until(lambda: rooms.waiting == LOOKERS, within=10, what="all threads are held")
        clock.ahead = STUCK_AFTER + 1
        wait_until(lambda: is_stuck(keeper) == ONLY_LOOKS, within=10, what="the looks are stuck")

    wait_until(lambda: not is_stuck(keeper), within=10, what="they turn again")
    keeper.stop()


def test_stop_ends_every_thread(rooms: MovingLiveKit, tmp_path: Path) -> None:
    """A gunicorn process that is told to go, goes."""
    before = set(threading.enumerate())
    keeper = keeper_of(rooms, tmp_path)
    keeper.start()

    keeper.stop()

    assert set() == {thread for thread in set(threading.enumerate()) - before if thread.is_alive()}
