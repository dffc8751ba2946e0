"""The sweep of one process, from the listing to the looks that it asks for."""

import pytest

from tests.fakes import FakeLiveKit
from tests.lives import unasked
from token_server.errors import LiveKitBusyError, LiveKitUnavailableError
from token_server.keeper.schedule import Looked, Schedule
from token_server.keeper.sweep_loop import SweepLoop
from token_server.livekit.pace import Pace, Purpose
from token_server.livekit.quota import Quota


class Meeting:
    """A place where one other process is."""

    name = "a"

    def __init__(self) -> None:
        self.is_here = False

    def meet(self) -> frozenset[str]:
        """Be there."""
        self.is_here = True
        return frozenset({"a", "b"})

    def part(self) -> None:
        """Be gone."""
        self.is_here = False


class Agenda:
    """Notes what is to be looked at."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.purposes: set[Purpose] = set()

    def look_now(self, room_name: str) -> None:
        """Note a room."""
        self.asked.append(room_name)

    def look_in(self, room_name: str, seconds: float, purpose: Purpose) -> None:
        """Note a room that is due within the tick."""
        assert 0 <= seconds < 0.5
        self.purposes.add(purpose)
        self.asked.append(room_name)


class Sweep:
    """A loop with a clock that stands still until told."""

    def __init__(self, pace: Pace | None = None, per_minute: int = 0) -> None:
        self.livekit, self.meeting, self.agenda, self.now = FakeLiveKit(), Meeting(), Agenda(), 9.0
        self.pace = pace or Quota(per_minute, clock=lambda: self.now)
        for number in range(20):
            self.livekit.join(f"room-{number}", "alice")
        lives = unasked(self.livekit)
        self.loop = SweepLoop(
            self.livekit,
            self.meeting,
            self.agenda,
            lives,
            lambda: False,
            (),
            lambda: self.now,
            self.pace,
        )

    def turn(self) -> None:
        """List, if it is time, and choose."""
        self.loop.list_if_due()
        self.loop.choose()


def test_the_first_listing_leads_to_looks_at_the_own_share_alone() -> None:
    """A process that has just started knows who else is there before it looks."""
    sweep = Sweep()

    sweep.turn()

    mine = {name for name in sweep.livekit.rooms if sweep.loop.is_mine(name)}
    assert (mine, {Purpose.SWEEP}) == ({*sweep.agenda.asked}, sweep.agenda.purposes)
    assert 0 < len(mine) == sweep.loop.rooms_mine < 20


def test_a_process_that_livekit_does_not_answer_leaves_its_rooms_to_others() -> None:
    """It may be cut off alone; when it is answered again it is there again."""
    sweep = Sweep()
    sweep.turn()
    sweep.livekit.is_down = True
    here = [sweep.meeting.is_here]
    for _ in range(2):
        sweep.now += 8.0
        with pytest.raises(LiveKitUnavailableError):
            sweep.turn()
        sweep.loop.beat()
        here.append(sweep.meeting.is_here)
    sweep.livekit.is_down = False

    sweep.turn()

    assert ([True, True, False], True) == (here, sweep.meeting.is_here)


def test_a_listing_has_its_turn_where_looks_want_more_than_the_sweep_may() -> None:
    """They take each request as soon as it is earned, and it never found one."""
    sweep = Sweep(per_minute=60)
    schedule = Schedule(pace=sweep.pace)
    looks = 0
    for step in range(12_000):
        sweep.now += 0.01
        while (due := schedule.take(sweep.now)[0]) is not None:
            looks += 1
            schedule.finish(due.room_name, Looked(), sweep.now)
            sweep.loop.looked(due.room_name, (), has_human=True)
        if step % 50 == 0:
            sweep.loop.list_if_due()
            sweep.loop.choose()
            for room_name in sweep.agenda.asked:
                schedule.look_at(room_name, sweep.now, Purpose.SWEEP)
            sweep.agenda.asked.clear()

    assert sweep.livekit.calls.count("list_rooms") > 10
    assert looks > 10


class Held(Pace):
    """A LiveKit that may not be asked for a long while."""

    has_quota = True
    seconds = 0.0

    def wait(self, purpose: Purpose) -> float:
        """Wait."""
        del purpose
        return self.seconds


def test_a_process_that_waits_for_its_turn_keeps_its_rooms() -> None:
    """Else each would look after all rooms, with the quota that all have together."""
    pace = Held()
    sweep = Sweep(pace)
    sweep.turn()
    pace.seconds = 25.0
    here = []
    for _ in range(5):
        sweep.now += 8.0
        sweep.turn()
        sweep.loop.beat()
        here.append(sweep.meeting.is_here)

    assert ([True] * 5, 2) == (here, sweep.livekit.calls.count("list_rooms"))


def test_a_process_of_which_livekit_has_had_too_many_requests_keeps_its_rooms() -> None:
    """That is an answer, and with fewer members each would ask more."""
    sweep = Sweep()
    sweep.turn()
    sweep.livekit.busy_with = {"list_rooms"}
    for _ in range(5):
        sweep.now += 8.0
        with pytest.raises(LiveKitBusyError):
            sweep.turn()
        sweep.loop.beat()

    assert sweep.meeting.is_here
