import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from tests.fakes import FakeRooms
from tests.processes import wait_until
from token_server.keeper import Keeper
from token_server.locks import MachineState
from token_server.look import Looker
from token_server.metrics import Metrics
from token_server.rooms import AgentOrder, Participant, ParticipantKind, Room
from token_server.ticket import TICKET_ATTRIBUTE, Ticket, TicketSealer
from token_server.wants import Policy

SEALER = TicketSealer("a-made-up-secret-of-more-than-thirty-two-bytes")
ORDER = AgentOrder(agent_name="voice-agent")
TICKET = SEALER.seal(Ticket("room", "alice", ORDER))


class MovingRooms(FakeRooms):
    """A LiveKit that can also answer with a bug of ours."""

    is_broken = False

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


@pytest.fixture
def rooms() -> MovingRooms:
    """An empty LiveKit."""
    return MovingRooms()


def keeper_of(
    rooms: FakeRooms, folder: Path, build_state: Callable[[Path], MachineState] = MachineState
) -> Keeper:
    """Build a keeper of one process, on a machine whose processes share the folder."""
    machine = build_state(folder)
    looker = Looker(rooms, machine, SEALER, Policy(agent_names=("voice-agent",)))
    return Keeper(rooms, looker, machine, Metrics(CollectorRegistry()))


@pytest.fixture
def keeper(rooms: MovingRooms, tmp_path: Path) -> Iterator[Keeper]:
    """A keeper that runs."""
    running = keeper_of(rooms, tmp_path)
    running.start()
    yield running
    running.stop()


def join(rooms: FakeRooms) -> Participant:
    """Let alice, who has our token, join."""
    return rooms.join("room", "alice", {TICKET_ATTRIBUTE: TICKET})


def wait_for_dispatch(rooms: FakeRooms, count: int = 1) -> None:
    """Wait until so many agents have been sent."""
    wait_until(lambda: len(rooms.created) >= count, within=10, what="a dispatch")


def test_a_webhook_leads_to_a_dispatch(rooms: MovingRooms, keeper: Keeper) -> None:
    """The fast path."""
    keeper.participant_changed("room", join(rooms), is_here=True)

    wait_for_dispatch(rooms)


def test_a_followed_room_needs_no_webhook(rooms: MovingRooms, keeper: Keeper) -> None:
    """LiveKit Cloud cannot reach a developer's machine."""
    rooms.join("room", "bob")
    room = rooms.rooms["room"].room
    keeper.follow(room, TICKET, 60, is_new=True)
    looks = rooms.calls.count("list_participants")
    wait_until(lambda: rooms.calls.count("list_participants") > looks, within=5, what="a look")

    join(rooms)

    wait_for_dispatch(rooms)


def test_the_first_sweep_finds_who_waits_already(rooms: MovingRooms, tmp_path: Path) -> None:
    """A token server that was down at the join."""
    join(rooms)
    keeper = keeper_of(rooms, tmp_path)

    keeper.start()

    wait_for_dispatch(rooms)
    keeper.stop()


@pytest.mark.usefixtures("keeper")
def test_one_process_of_a_machine_sweeps(rooms: MovingRooms, tmp_path: Path) -> None:
    """The others would only ask LiveKit the same."""
    wait_until(lambda: "list_rooms" in rooms.calls, within=5, what="a sweep")
    others = FakeRooms()
    second = keeper_of(others, tmp_path)

    second.start()
    second.participant_changed("room", join(others), is_here=True)
    wait_for_dispatch(others)
    second.stop()

    assert "list_rooms" not in others.calls


def test_an_agent_that_left_is_known_from_its_webhook(rooms: MovingRooms, keeper: Keeper) -> None:
    """This process had never looked: the webhook says that the dispatch is spent."""
    join(rooms)
    rooms.create_dispatch("room", ORDER)
    rooms.take_job("room")
    rooms.pass_time(seconds=1)
    agent = rooms.join_agent("room", "voice-agent")
    rooms.leave("room", agent.participant_identity)

    keeper.participant_changed("room", agent, is_here=False)

    wait_for_dispatch(rooms, count=2)


def test_a_recorder_that_comes_is_not_looked_at(rooms: MovingRooms, keeper: Keeper) -> None:
    """Webhooks tell of egress too."""
    egress = rooms.join("other", "egress", kind=ParticipantKind.OTHER)
    keeper.participant_changed("other", egress, is_here=True)

    keeper.participant_changed("room", join(rooms), is_here=True)

    wait_for_dispatch(rooms)
    assert [("room", ORDER)] == rooms.created


def test_livekit_that_is_gone_is_logged_once_and_repaired_when_back(
    rooms: MovingRooms, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a line a look, unless asked for; and an error never ends the watch of a room."""
    caplog.set_level(logging.DEBUG, "token_server")
    rooms.is_down = True
    keeper.participant_changed("room", join(rooms), is_here=True)
    wait_until(lambda: rooms.calls.count("list_participants") > 1, within=10, what="a retry")
    rooms.is_down = False

    wait_for_dispatch(rooms)
    messages = [record.getMessage() for record in caplog.records]
    assert (1, 1) == (
        sum(message.startswith("Rooms cannot be looked at") for message in messages),
        messages.count("Rooms can be looked at again"),
    )
    failed = [vars(record) for record in caplog.records if record.getMessage() == "A look failed"]
    assert {("DEBUG", "room")} == {(line["levelname"], line["room"]) for line in failed}


def test_a_bug_in_a_look_does_not_end_the_looking(
    rooms: MovingRooms, keeper: Keeper, caplog: pytest.LogCaptureFixture
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
    rooms: MovingRooms, tmp_path: Path, caplog: pytest.LogCaptureFixture
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
    assert "A sweep failed" in caplog.text


def test_a_bug_in_a_beat_does_not_end_the_beating(
    rooms: MovingRooms, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every lock of this process would be lost."""
    state = BrokenState(tmp_path)
    keeper = keeper_of(rooms, tmp_path, lambda _: state)

    keeper.start()

    wait_until(lambda: state.beats > 1, within=5, what="another beat")
    keeper.stop()
    assert "A beat failed" in caplog.text


def test_stop_ends_every_thread(rooms: MovingRooms, tmp_path: Path) -> None:
    """A gunicorn process that is told to go, goes."""
    before = set(threading.enumerate())
    keeper = keeper_of(rooms, tmp_path)
    keeper.start()

    keeper.stop()

    assert set() == {thread for thread in set(threading.enumerate()) - before if thread.is_alive()}


def test_a_sweeper_that_stops_hands_over(rooms: MovingRooms, tmp_path: Path) -> None:
    """A restart must not leave the machine without a sweep."""
    first = keeper_of(rooms, tmp_path)
    first.start()
    wait_until(lambda: "list_rooms" in rooms.calls, within=5, what="a sweep")

    first.stop()

    assert MachineState(tmp_path).is_sweeper()
